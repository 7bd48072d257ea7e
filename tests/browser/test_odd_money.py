"""Money that comes short, late, twice or not at all, as its buyer sees it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.buyer import Visitor
from tests.browser.conftest import Arrive

NAME, SLUG = "Low Fee Club", "low-fee-club"
NOT_OURS = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"


def test_who_pays_too_little_is_asked_for_the_rest(visitor: Visitor, email: str) -> None:
    store = visitor.store
    order = visitor.places_an_order(SLUG, email)
    asked, address = order.uri, order.address
    order.pays("Too little")
    order.becomes("A part has arrived")

    due = store.payment(order.number)["due_minor"]
    assert order.amount == f"{(due - due // 2) / 10**8:.8f}"
    assert order.address == address
    assert order.uri != asked
    store.let_time_pass(order.number, minutes=4)  # the rest might have followed at once
    assert address in visitor.mailbox(email).opens("still missing").text

    visitor.order(order.token).pays()
    store.mine()
    order.asks_until("Paid")


def test_an_expired_page_hides_its_address_and_gives_a_new_amount(
    visitor: Visitor, email: str
) -> None:
    store = visitor.store
    order = visitor.places_an_order(SLUG, email)
    first = order.address
    store.let_time_pass(order.number, hours=3)
    order.becomes("The time to pay is over.")
    expect(visitor.page.locator("main")).not_to_contain_text(first)

    visitor.press("Get a new amount in Bitcoin SV")
    assert order.words == "Waiting for your payment."
    assert order.address != first

    order.pays()
    store.mine()
    order.asks_until("Paid")


def test_money_that_comes_late_still_settles(arrive: Arrive, email: str) -> None:
    visitor = arrive(scripts=False)
    store = visitor.store
    order = visitor.places_an_order(SLUG, email)
    uri = order.uri
    store.let_time_pass(order.number, hours=3)
    order.becomes("The time to pay is over.")

    store.pay(uri)
    store.mine()
    order.becomes("Paid")
    visitor.sees(f"Download {NAME}")


def test_a_wrong_transaction_id_is_refused_beside_its_field(visitor: Visitor, email: str) -> None:
    order = visitor.places_an_order(SLUG, email)
    order.posts("abc")
    assert visitor.status == 422
    assert visitor.error_beside("Transaction ID (TXID)")
    assert visitor.page.get_by_label("Transaction ID (TXID)").input_value() == "abc"

    (elsewhere,) = visitor.store.pay(NOT_OURS, amount="0.001")
    visitor.page.get_by_label("Transaction ID (TXID)").fill(elsewhere)
    visitor.press("Look for it")
    assert visitor.error_beside("Transaction ID (TXID)")

    visitor.page.get_by_label("Transaction ID (TXID)").fill("ab" * 32)
    visitor.press("Look for it")
    visitor.sees("We keep looking")
    assert order.words == "Waiting for your payment."


def test_a_transaction_that_paid_one_order_pays_no_other(arrive: Arrive, email: str) -> None:
    visitor = arrive()
    first = visitor.places_an_order(SLUG, email)
    (txid,) = visitor.store.pay(first.uri)
    visitor.store.mine()
    first.asks_until("Paid")

    second = visitor.places_an_order(SLUG, email)
    second.posts(txid)
    assert visitor.error_beside("Transaction ID (TXID)")
    assert visitor.order(second.token).words == "Waiting for your payment."
