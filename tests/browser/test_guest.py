"""A guest buys: from the catalogue to the file, with an e-mail address and nothing else."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.buyer import DownloadPage, Visitor, sha256
from tests.browser.conftest import Arrive

NAME, SLUG = "One Satoshi", "one-satoshi"


def test_a_guest_buys_and_downloads(visitor: Visitor, email: str) -> None:
    store = visitor.store
    cart = visitor.shop().search("satoshi").open(NAME).add_to_cart()
    assert cart.total == "$5.00"
    order = cart.check_out().as_guest(email)

    due = store.payment(order.number)
    assert order.amount == f"{due['due_minor'] / 10**8:.8f}"
    assert order.address == due["reference"]
    assert order.uri.startswith(f"bitcoin:{order.address}?sv&amount={order.amount}")
    visitor.sees("Bitcoin SV (BSV), not BTC or BCH")
    expect(order.qr).to_be_visible()

    order.pays()
    store.mine()
    order.becomes("Paid")

    file = order.download(NAME).download()
    stored = store.row(
        "SELECT sha256 FROM release_files JOIN releases ON releases.id = release_id"
        " JOIN products ON products.id = product_id WHERE slug = ?",
        SLUG,
    )["sha256"]
    assert sha256(file) == stored

    visitor.mailbox(email).opens("Your files").follows("/downloads/")
    page = DownloadPage(visitor)
    assert page.shown_checksum == stored
    assert sha256(page.download()) == stored
    assert page.reload().left == 3


def test_a_page_without_scripts_tells_by_itself_that_small_money_counts(
    arrive: Arrive, email: str
) -> None:
    """Up to 20 dollars a payment needs no block, if nothing contradicts it for ten seconds."""
    visitor = arrive(scripts=False)
    order = visitor.places_an_order(SLUG, email)
    visitor.store.pay(order.uri)

    expect(visitor.page.locator("#status-words")).to_contain_text("Paid", timeout=60_000)
    visitor.sees("seen, not in a block yet")
