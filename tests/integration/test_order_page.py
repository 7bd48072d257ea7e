"""The order's page, which while nothing is paid is the payment page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from app import clock
from app.extensions import db
from app.models import Order, OrderStatus, Payment, PaymentStatus
from app.payments.base import Stage
from app.services import payments
from app.services.links import token_of
from tests import factories
from tests.buying import order, pay
from tests.fakes.provider import FakeProvider
from tests.pages import Client


@pytest.fixture
def page(client: Client) -> str:
    """The page of an order of $19 at 25 USD per BSV: 0.76 BSV are due."""
    return order(client, factories.product(name="Node Runner", price=1900))


@pytest.fixture
def later() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


def the_order() -> Order:
    db.session.rollback()
    return db.session.query(Order).one()


def text_of(client: Client, page: str) -> str:
    answer = client.get(page)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_while_unpaid_it_says_what_is_due_and_until_when(client: Client, page: str) -> None:
    shown = text_of(client, page)
    assert "Waiting for your payment." in shown
    assert "Pay 0.76000000 BSV" in shown
    assert the_order().payments[0].reference in shown
    assert " UTC" in shown


def test_without_scripts_it_looks_again_by_itself(client: Client, page: str) -> None:
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in client.get(page).text


def test_it_is_nobodys_to_keep_or_to_find(client: Client, page: str) -> None:
    for path in (page, f"{page}/status", f"{page}/proof"):
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert headers["Referrer-Policy"] == "same-origin"


def test_a_part_is_counted_and_the_rest_asked_for(
    client: Client, page: str, provider: FakeProvider
) -> None:
    pay(provider, page, satoshis=30_000_000)
    shown = text_of(client, page)
    assert "0.46000000 BSV is still due" in shown
    assert "0.30000000 BSV of 0.76000000 BSV has arrived" in shown
    pay(provider, page, satoshis=46_000_000)
    assert "Paid. Thank you!" in text_of(client, page)


def test_money_on_its_way_needs_nothing_more(
    client: Client, page: str, provider: FakeProvider
) -> None:
    pay(provider, page, stage=Stage.SEEN)
    shown = text_of(client, page)
    assert "Your payment is on its way to us." in shown
    assert "Nothing more to do" in shown


def test_once_paid_the_downloads_are_right_there(
    client: Client, page: str, provider: FakeProvider
) -> None:
    pay(provider, page)
    answer = client.get(page).text
    assert "Paid. Thank you!" in answer
    assert 'href="/downloads/' in answer
    assert "5 of 5 downloads left" in answer
    assert "http-equiv" not in answer
    assert "htmx.min.js" not in answer


def test_when_the_time_is_over_the_address_is_hidden_and_a_new_quote_one_click_away(
    client: Client, page: str, provider: FakeProvider, later: time_machine.Traveller
) -> None:
    address = the_order().payments[0].reference
    later.shift(timedelta(hours=2, seconds=1))
    shown = text_of(client, page)
    assert "The time to pay is over." in shown
    assert address not in shown
    assert "Money that still arrives is not lost" in shown
    payments.check_due()
    assert the_order().status is OrderStatus.EXPIRED
    provider.rate = Decimal(20)
    client.submit(page, "/pay/fake")
    shown = text_of(client, page)
    assert "Pay 0.95000000 BSV" in shown
    assert address not in shown


def test_late_money_that_is_enough_still_opens_the_downloads(
    client: Client, page: str, provider: FakeProvider, later: time_machine.Traveller
) -> None:
    later.shift(timedelta(hours=3))
    payments.check_due()
    pay(provider, page)
    assert "Your downloads" in text_of(client, page)


def test_late_money_that_is_not_enough_waits_for_a_person(
    client: Client, page: str, provider: FakeProvider, later: time_machine.Traveller
) -> None:
    later.shift(timedelta(hours=3))
    payments.check_due()
    pay(provider, page, satoshis=100)
    shown = text_of(client, page)
    assert "A person will decide" in shown
    assert "Please send nothing more" in shown


def test_money_that_was_taken_back_closes_the_downloads_and_says_so(
    client: Client, page: str, provider: FakeProvider
) -> None:
    reference = pay(provider, page)
    provider.change(reference, Stage.GONE)
    payments.refresh([the_order().payments[0].id])
    shown = text_of(client, page)
    assert "Your payment has been withdrawn from the network." in shown
    assert "Your downloads are closed until the money is back" in shown
    assert 'href="/downloads/' not in client.get(page).text


def test_money_that_failed_can_be_sent_anew(
    client: Client, page: str, provider: FakeProvider
) -> None:
    reference = pay(provider, page, stage=Stage.SEEN)
    provider.change(reference, Stage.GONE)
    failed = the_order().payments[0]
    payments.refresh([failed.id])
    assert "Did your wallet say it failed?" in text_of(client, page)
    client.submit(page, "/pay/fake")
    again = the_order().payments[-1]
    assert again.reference != the_order().payments[0].reference
    shown = text_of(client, page)
    assert "Waiting for your payment." in shown
    assert again.reference in shown


def test_too_much_is_noted_kindly(client: Client, page: str, provider: FakeProvider) -> None:
    pay(provider, page, satoshis=90_000_000)
    shown = text_of(client, page)
    assert "You sent more than was due" in shown
    assert "Your downloads" in shown


def test_paying_twice_is_noted_for_a_refund(
    client: Client, page: str, provider: FakeProvider
) -> None:
    pay(provider, page)
    found = the_order()
    found.paid_twice = True
    db.session.commit()
    assert "You paid twice" in text_of(client, page)


def test_a_cancelled_order_asks_for_nothing(client: Client, page: str) -> None:
    found = the_order()
    found.payments[0].move_to(PaymentStatus.CANCELLED, why="a test says so")
    found.move_to(OrderStatus.CANCELLED, why="a test says so")
    address = found.payments[0].reference
    db.session.commit()
    shown = text_of(client, page)
    assert "This order was cancelled." in shown
    assert address not in shown


def test_a_refunded_order_gives_nothing(client: Client, page: str, provider: FakeProvider) -> None:
    pay(provider, page)
    the_order().move_to(OrderStatus.REFUNDED, why="a test says so")
    db.session.commit()
    answer = client.get(page).text
    assert "This order was refunded." in answer
    assert 'href="/downloads/' not in answer


# How a coin's own fragment says it.


@pytest.fixture
def coins(provider: FakeProvider, app: Flask) -> FakeProvider:
    """The one way to pay, under the name whose fragments a coin has."""
    app.extensions["satchel"].providers.clear()
    provider.id = "onchain"
    app.extensions["satchel"].providers[provider.id] = provider
    return provider


def test_amount_link_and_database_are_the_same_integer(client: Client, coins: FakeProvider) -> None:
    page = order(client, factories.product(price=1901))
    pay(coins, page, satoshis=12_345_678)
    payment = the_order().payments[0]
    missing = f"{payment.missing.major:f}"
    assert payment.missing.minor == payment.due_minor - 12_345_678
    answer = client.get(page)
    assert f'data-copy="{missing}"' in answer.text
    assert f"bitcoin:{payment.reference}?sv&amp;amount={missing}" in answer.text
    assert 'class="qr-code"' in answer.text


def test_coin_address_rate_and_sources_stand_together(client: Client, coins: FakeProvider) -> None:
    page = order(client, factories.product(price=1900))
    shown = text_of(client, page)
    for said in ("Send exactly", "0.76000000 BSV", "Bitcoin SV (BSV), not BTC or BCH", "$19.00",
                 "25 USD per BSV", "onchain 25", "Until "):  # fmt: skip
        assert said in shown


def test_what_is_waited_for_is_said(client: Client, coins: FakeProvider) -> None:
    page = order(client, factories.product(price=1900))
    reference = pay(coins, page, stage=Stage.SEEN)
    shown = text_of(client, page)
    assert "seen, not in a block yet (waiting: a test says so)" in shown
    assert reference.partition(":")[0] in shown


# The page asks how it goes.


def test_the_status_is_a_fragment_only_when_something_is_new(
    client: Client, page: str, provider: FakeProvider
) -> None:
    htmx = {"HX-Request": "true"}
    first = client.get(f"{page}/status", headers=htmx)
    seen = re.search(r'id="seen" name="seen" value="(\w+)"', first.text)
    assert seen is not None
    asked = f"{page}/status?seen={seen[1]}"
    assert client.get(asked, headers=htmx).status_code == 204
    looks = provider.looks
    known = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"{page}/status", headers=known).status_code == 304
    assert provider.looks == looks
    pay(provider, page, satoshis=1)
    changed = client.get(asked, headers=htmx)
    assert changed.status_code == 200
    assert "is still due" in changed.text
    assert 'data-hx-swap-oob="innerHTML"' in changed.text


def test_once_paid_the_page_is_loaded_anew_and_asks_no_more(
    client: Client, page: str, provider: FakeProvider
) -> None:
    pay(provider, page)
    answer = client.get(f"{page}/status", headers={"HX-Request": "true"})
    assert answer.status_code == 286
    assert answer.headers["HX-Refresh"] == "true"


def test_programs_may_ask_too(client: Client, page: str, provider: FakeProvider) -> None:
    pay(provider, page, satoshis=30_000_000)
    said = client.get(f"{page}/status", headers={"Accept": "application/json"}).get_json()
    assert said["state"] == "partial"
    assert said["order"]["status"] == "pending"
    assert said["payment"]["status"] == "partial"
    assert said["payment"]["due_minor"] == 76_000_000
    assert said["payment"]["received"] == "0.30000000 BSV"
    assert said["payment"]["missing_minor"] == 46_000_000


@pytest.mark.parametrize(("act", "status"), [("check", 303), ("watching", 204)])
def test_somebody_waiting_makes_the_worker_look_soon(
    client: Client, page: str, act: str, status: int
) -> None:
    payment = the_order().payments[0]
    payment.next_check_at = clock.now() + timedelta(hours=1)
    db.session.commit()
    token = client.page(page).forms[-1].fields["csrf_token"]
    answer = client.post(f"{page}/{act}", headers={"X-CSRFToken": token})
    assert answer.status_code == status
    soon = the_order().payments[0].next_check_at
    assert soon is not None
    assert soon < clock.now() + timedelta(seconds=10)


# A buyer's own proof.


def test_a_posted_transaction_id_pays_at_once(
    client: Client, page: str, provider: FakeProvider
) -> None:
    payment = the_order().payments[0]
    reference = provider.receive(payment.reference, payment.due_minor, listed=False)
    txid = reference.partition(":")[0]
    answer = client.submit(f"{page}/proof", transaction_id=f"  {txid.upper()} ")
    assert (answer.status_code, answer.location) == (303, page)
    assert "Paid. Thank you!" in text_of(client, page)


@pytest.mark.parametrize("proof", ["", "abc", "g" * 64, "0" * 63, "../../" + "0" * 58, "0" * 5000])
def test_what_is_no_transaction_id_is_said_beside_the_field(
    client: Client, page: str, proof: str
) -> None:
    answer = client.submit(f"{page}/proof", transaction_id=proof)
    assert answer.status_code == 422
    assert "64 characters" in answer.text
    assert 'id="transaction_id-errors"' in answer.text


def test_a_transaction_of_another_order_is_refused_in_words_that_help(
    app: Flask, client: Client, page: str, provider: FakeProvider
) -> None:
    txid = pay(provider, page).partition(":")[0]
    other = order(client, factories.product())
    answer = client.submit(f"{other}/proof", transaction_id=txid)
    assert answer.status_code == 422
    assert "pays another address" in answer.text
    assert "Waiting for your payment." in text_of(client, other)


def test_an_unknown_transaction_is_kept_and_looked_for(
    client: Client, page: str, provider: FakeProvider
) -> None:
    txid = provider.a_txid()
    answer = client.submit(f"{page}/proof", follow=True, transaction_id=txid)
    assert answer.status_code == 200
    assert "We keep looking" in answer.text
    assert [kept.proof for kept in the_order().payments[0].proofs] == [txid]


def test_an_explorer_that_is_down_loses_no_proof(
    client: Client, page: str, provider: FakeProvider
) -> None:
    provider.unavailable = True
    answer = client.submit(f"{page}/proof", follow=True, transaction_id=provider.a_txid())
    assert "We keep looking" in answer.text
    assert len(the_order().payments[0].proofs) == 1


def test_five_proofs_a_minute_are_enough(client: Client, page: str, provider: FakeProvider) -> None:
    for _ in range(5):
        client.submit(f"{page}/proof", transaction_id="abc")
    answer = client.submit(f"{page}/proof", transaction_id="abc")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    other = order(client, factories.product())
    assert client.submit(f"{other}/proof", transaction_id="abc").status_code == 422


# The receipt, and who may see any of it.


def test_the_receipt_says_all_there_is_to_know(
    client: Client, page: str, provider: FakeProvider
) -> None:
    assert client.get(f"{page}/receipt").location == page
    reference = pay(provider, page)
    shown = text_of(client, f"{page}/receipt")
    for said in (the_order().number, "Node Runner", "$19.00", "0.76000000 BSV", "ada@example.org",
                 "Test store", reference.partition(":")[0]):  # fmt: skip
        assert said in shown


def test_whoever_has_no_right_to_an_order_learns_nothing(app: Flask, client: Client) -> None:
    owner = factories.user()
    placed = factories.order(user=owner)
    paths = ["x", "x" * 43, token_of(placed)[:-1] + "!", "%00"]
    for ending in ("", "/status", "/receipt", "/proof"):
        answers = [client.get(f"/orders/{token}{ending}") for token in paths]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.text for answer in answers}) == 1
    assert client.get(f"/orders/{token_of(placed)}").location.startswith("/login?next=")


def test_an_accounts_order_opens_for_that_account_alone(app: Flask, client: Client) -> None:
    owner, other = factories.user(), factories.user()
    placed = factories.order(user=owner)
    path, emails = f"/orders/{token_of(placed)}", (other.email, owner.email)
    statuses = []
    for email in emails:
        client.submit("/login", "/login", email=email, password=factories.PASSWORD)
        statuses.append(client.get(path).status_code)
        client.submit("/account/orders", "/logout")
    assert statuses == [404, 200]


def test_an_unknown_way_to_pay_is_not_there(client: Client, page: str) -> None:
    token = client.page(page).forms[-1].fields["csrf_token"]
    answer = client.post(f"{page}/pay/nothing", data={"csrf_token": token})
    assert answer.status_code == 404
    assert db.session.query(Payment).count() == 1


def test_a_paid_order_takes_no_new_payment(
    client: Client, page: str, provider: FakeProvider
) -> None:
    token = client.page(page).forms[-1].fields["csrf_token"]
    pay(provider, page)
    answer = client.post(f"{page}/pay/fake", data={"csrf_token": token})
    assert answer.location == page
    db.session.rollback()
    assert db.session.query(Payment).count() == 1


def test_no_page_knows_a_rail_by_name() -> None:
    rails = re.compile("stripe|onchain|whatsonchain|handcash", re.IGNORECASE)
    root = Path(__file__).parents[2] / "app"
    files = [*(root / "blueprints").rglob("*.py"), *(root / "services").rglob("*.py")]
    assert len(files) > 20
    assert [path.name for path in files if rails.search(path.read_text("utf-8"))] == []
