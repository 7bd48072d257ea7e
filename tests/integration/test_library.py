"""Downloads: looking counts nothing, the button counts one, resuming counts none."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
import time_machine
from flask import Flask

from app import clock
from app.extensions import db
from app.models import Entitlement, EntitlementStatus, Order
from app.services import orders
from app.services.links import token_of
from app.wiring import wiring
from tests import factories
from tests.buying import link, order, pay
from tests.fakes.provider import FakeProvider
from tests.pages import Client

CONTENT = b"the very bytes that were paid for"


@pytest.fixture
def landing(client: Client, provider: FakeProvider) -> str:
    """The download page of a product that was paid for."""
    page = order(client, factories.product(name="Node Runner", content=CONTENT))
    pay(provider, page)
    return link(client, page, "/downloads/")


def entitlement() -> Entitlement:
    db.session.rollback()
    return db.session.query(Entitlement).one()


def press_download(client: Client, landing: str) -> str:
    """Press Download; the path of the file."""
    answer = client.submit(landing, "/files/")
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.location).path


def test_from_the_order_page_to_the_very_bytes(client: Client, landing: str) -> None:
    answer = client.get(press_download(client, landing))
    assert answer.status_code == 200
    assert answer.data == CONTENT
    assert hashlib.sha256(CONTENT).hexdigest() in client.get(landing).text


def test_looking_and_resuming_count_nothing(client: Client, landing: str) -> None:
    for _ in range(10):
        client.get(landing)
        client.head(landing)
    assert entitlement().downloads_used == 0
    file = press_download(client, landing)
    for _ in range(10):
        client.get(file)
        client.head(file)
        client.get(file, headers={"Range": "bytes=5-"})
    assert entitlement().downloads_used == 1


def test_a_broken_transfer_goes_on_where_it_stopped(client: Client, landing: str) -> None:
    file = press_download(client, landing)
    etag = client.head(file).headers["ETag"]
    rest = client.get(file, headers={"Range": "bytes=10-", "If-Range": etag})
    assert rest.status_code == 206
    assert rest.data == CONTENT[10:]
    assert rest.headers["Content-Range"] == f"bytes 10-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert client.get(file, headers={"Range": "bytes=9999-"}).status_code == 416


def test_what_was_started_can_be_continued_from_the_page(client: Client, landing: str) -> None:
    press_download(client, landing)
    again = link(client, landing, "/files/")
    assert client.get(again).data == CONTENT
    assert entitlement().downloads_used == 1


def test_five_downloads_then_a_page_with_the_reason(client: Client, landing: str) -> None:
    for _ in range(5):
        press_download(client, landing)
    fields = {"csrf_token": client.page("/login").forms[-1].fields["csrf_token"]}
    answer = client.get(landing)
    assert answer.status_code == 410
    assert "All 5 downloads have been used." in answer.text
    assert "store@example.org" in answer.text
    assert client.get(link_in(answer.text)).data == CONTENT, "a started one may still be continued"
    file_id = entitlement().product.releases[-1].files[0].id
    assert client.post(f"{landing}/files/{file_id}", data=fields).status_code == 410
    assert entitlement().downloads_used == 5


def link_in(text: str) -> str:
    return text.partition('href="/files/')[2].partition('"')[0].join(("/files/", ""))


def test_the_link_and_what_was_started_expire(client: Client, landing: str) -> None:
    file = press_download(client, landing)
    with time_machine.travel(clock.now() + timedelta(minutes=61), tick=False):
        answer = client.get(file)
        assert answer.status_code == 410
        assert "good for an hour" in answer.text
        assert client.get(landing).status_code == 200
    with time_machine.travel(entitlement().expires_at, tick=False):
        answer = client.get(landing)
        assert answer.status_code == 410
        assert "This link has expired." in answer.text


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (EntitlementStatus.SUSPENDED, 403, "closed for the moment"),
        (EntitlementStatus.REVOKED, 410, "was refunded"),
    ],
)
def test_what_is_closed_stays_closed_for_started_downloads_too(
    client: Client, landing: str, status: EntitlementStatus, code: int, words: str
) -> None:
    file = press_download(client, landing)
    entitlement().move_to(status, why="a test says so")
    db.session.commit()
    for path in (landing, file):
        answer = client.get(path)
        assert answer.status_code == code
        assert words in answer.text


def test_a_missing_file_counts_nothing_and_is_written_down(
    client: Client, landing: str, caplog: pytest.LogCaptureFixture
) -> None:
    wiring().files.delete(hashlib.sha256(CONTENT).hexdigest())
    with caplog.at_level(logging.ERROR):
        answer = client.submit(landing, "/files/")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "No download was counted" in answer.text
    assert any(record.levelno == logging.ERROR for record in caplog.records)
    assert entitlement().downloads_used == 0


def test_a_link_with_one_character_changed_opens_nothing(client: Client, landing: str) -> None:
    file = press_download(client, landing)
    for path in (landing, file):
        changed = path[:-2] + ("A" if path[-2] != "A" else "B") + path[-1]
        assert client.get(changed).status_code == 404
        assert client.get(path[:-1]).status_code == 404


def test_a_file_of_another_product_does_not_come_through_this_link(
    client: Client, landing: str
) -> None:
    other = factories.product(content=b"not paid for").releases[0].files[0].id
    token = client.page(landing).forms[-1].fields["csrf_token"]
    for file_id in (other, 999_999, 2**70):
        answer = client.post(f"{landing}/files/{file_id}", data={"csrf_token": token})
        assert answer.status_code == 404
    assert entitlement().downloads_used == 0


def test_a_download_needs_a_form_of_ours(client: Client, landing: str) -> None:
    action = next(form.action for form in client.page(landing).forms if "/files/" in form.action)
    assert client.post(action).status_code == 400
    assert client.post(action, data={"csrf_token": "forged"}).status_code == 400
    assert client.get(action).status_code == 405
    assert entitlement().downloads_used == 0


def test_pages_and_files_tell_nobody_where_from_and_are_kept_by_nobody(
    client: Client, landing: str
) -> None:
    for path in (landing, press_download(client, landing)):
        headers = client.get(path).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.parametrize(
    ("name", "media_type", "sent_as"),
    [
        ("book.pdf", "application/pdf", "application/pdf"),
        ("page.html", "text/html", "application/octet-stream"),
        ("drawing.svg", "image/svg+xml", "application/octet-stream"),
    ],
)
def test_no_file_is_ever_shown_as_a_page(
    client: Client, provider: FakeProvider, name: str, media_type: str, sent_as: str
) -> None:
    product = factories.product(file_name=name, media_type=media_type)
    page = order(client, product)
    pay(provider, page)
    headers = client.get(press_download(client, link(client, page, "/downloads/"))).headers
    assert headers["Content-Type"].partition(";")[0] == sent_as
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    ["Grüße 🎁.zip", 'quo"te.zip', "semi;colon.zip", "line\r\nSet-Cookie: a=b.zip", "bell\x07.zip",
     "\u202egpj.exe", "a" * 300 + ".zip", "back\\slash.zip", "../../etc/passwd", "percent%22.zip"],
)  # fmt: skip
def test_any_name_makes_one_sound_header(client: Client, provider: FakeProvider, name: str) -> None:
    page = order(client, factories.product(file_name=name, content=CONTENT))
    pay(provider, page)
    answer = client.get(press_download(client, link(client, page, "/downloads/")))
    assert answer.data == CONTENT
    dispositions = answer.headers.getlist("Content-Disposition")
    assert len(dispositions) == 1
    assert not any(ord(character) < 32 for character in dispositions[0])
    assert quote("\u202e") not in dispositions[0]
    assert "Set-Cookie" not in answer.headers


def test_the_server_in_front_may_send_the_bytes(
    environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    environment["DOWNLOAD_ACCEL_PREFIX"] = "/inside"
    client: Client = request.getfixturevalue("client")
    page = order(client, factories.product(content=CONTENT, file_name="Grüße.zip"))
    pay(request.getfixturevalue("provider"), page)
    answer = client.get(press_download(client, link(client, page, "/downloads/")))
    key = hashlib.sha256(CONTENT).hexdigest()
    assert answer.data == b""
    assert answer.headers["X-Accel-Redirect"] == f"/inside/files/{key[:2]}/{key[2:4]}/{key}"
    assert "filename*=UTF-8''Gr%C3%BC%C3%9Fe.zip" in answer.headers["Content-Disposition"]


# Links of accounts.


@pytest.fixture
def owned(provider: FakeProvider) -> str:
    """The download page of an account's purchase; the account is owner@example.org."""
    owner = factories.user(email="owner@example.org")
    bought = factories.order(factories.product(name="Node Runner", price=0), user=owner)
    orders_of_test = db.session.get_one(Order, bought.id)
    return f"/downloads/{token_of(orders_of_test.entitlements[0])}"


def sign_in(client: Client, email: str, *, at: str = "/login") -> str:
    """Sign in on the page at `at`; where it leads."""
    return client.submit(at, "/login", email=email, password=factories.PASSWORD).location


def test_an_accounts_link_asks_for_its_account_and_leads_back(client: Client, owned: str) -> None:
    answer = client.get(owned)
    assert (answer.status_code, answer.location) == (303, f"/login?next={quote(owned)}")
    assert sign_in(client, "owner@example.org", at=owned) == owned
    assert client.get(owned).status_code == 200


def test_an_accounts_link_opens_for_nobody_else(client: Client, owned: str) -> None:
    other = factories.user().email
    sign_in(client, other)
    assert client.get(owned).status_code == 404


def test_a_buyers_orders_stand_in_the_account(client: Client, owned: str) -> None:
    factories.order(factories.product(name="Somebody else's"), email="guest@example.org")
    sign_in(client, "owner@example.org")
    mine = client.get("/account", follow_redirects=True).text
    assert "Node Runner" in mine
    assert "5 of 5 downloads left" in mine
    assert owned in mine
    assert "/receipt" in mine
    assert "Somebody else" not in mine


def test_an_account_without_orders_says_so(client: Client) -> None:
    sign_in(client, factories.user().email)
    assert "No orders yet" in client.get("/account/orders").text


def test_a_strangers_account_page_is_the_sign_in(app: Flask, client: Client) -> None:
    for path in ("/account", "/account/orders"):
        assert client.get(path).location.startswith("/login?next=")


def test_a_guests_purchases_do_not_come_with_a_registration(
    client: Client, provider: FakeProvider
) -> None:
    page = order(client, factories.product(name="Node Runner"), email="ada@example.org")
    pay(provider, page)
    factories.user(email="ada@example.org")
    sign_in(client, "ada@example.org")
    assert "Node Runner" not in client.get("/account/orders").text
    assert orders.of_user(factories.user()) == []
