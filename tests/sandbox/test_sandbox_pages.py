import re

import pytest

from sandbox.wallet import Invoice


@pytest.fixture(params=["/", "/wallet", "/mailbox", "/mailbox/1", "/faults", "/wallet/paid", "/no"])
def page(request, client, world, merchant):
    raw = b"From: a@example.org\r\nSubject: Hello\r\n\r\nHello\r\n"
    world.mailbox.put("a@example.org", ["b@example.org"], raw)
    world.wallet.pay(Invoice(merchant.address, 5))
    return client.get(request.param)


def test_every_page_has_one_heading_a_title_and_says_it_is_play_money(page):
    assert page.text.count("<h1>") == 1
    assert re.search(r"<title>\S.* – Sandbox</title>", page.text)
    assert "play money" in page.text


def test_every_field_has_its_label(page):
    fields = re.findall(r'<(?:input|select|textarea)[^>]*\sid="([^"]+)"', page.text)
    labels = re.findall(r'<label for="([^"]+)"', page.text)
    assert sorted(fields) == sorted(labels)


def test_no_page_has_scripts_or_styles_of_its_own(page):
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page.text)
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_sandbox_is_ready_when_it_answers(client):
    assert client.get("/ready").json == {"ready": True, "blocks": 110}


def test_only_this_machine_is_answered(client):
    assert client.get("/wallet", headers={"Host": "evil.example"}).status_code == 400


def test_acts_tell_a_person_what_they_did(client):
    referrer = {"Referer": "http://localhost/wallet?uri=x"}
    answer = client.post("/chain/mine", data={"blocks": "2"}, headers=referrer)
    assert (answer.status_code, answer.location) == (303, "http://localhost/wallet?uri=x")
    assert "Mined 2 blocks: the chain is 112 high." in client.get("/wallet").text
    elsewhere = client.post("/chain/mine", headers={"Referer": "http://example.org/"})
    assert elsewhere.location == "/"


def test_latest_blocks_and_waiting_transactions_are_shown(client, chain, wallet, merchant):
    [txid] = wallet.pay(Invoice(merchant.address, 5))
    page = client.get("/").text
    assert txid in page
    assert chain.tip.hash in page
