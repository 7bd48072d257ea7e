"""A buyer with an account: what is bought while signed in opens for that account alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.buyer import DownloadPage, Visitor, sha256
from tests.browser.conftest import Arrive

NAME, SLUG = "Genesis Sunrise", "genesis-sunrise"
PASSWORD = "a saddle of seven buckles"


@pytest.fixture
def account(visitor: Visitor, email: str) -> str:
    visitor.makes_an_account(email, PASSWORD)
    visitor.signs_in(email, PASSWORD)
    expect(visitor.page.locator("h1")).to_have_text("Your orders")
    return email


def test_an_account_pays_and_posts_the_transaction_id(
    visitor: Visitor, account: str, arrive: Arrive
) -> None:
    store = visitor.store
    order = visitor.places_an_order(SLUG)
    (txid,) = store.pay(order.uri)
    store.mine()
    order.posts(txid.upper())
    order.becomes("Paid")
    visitor.sees(txid)

    visitor.go("/account/orders")
    visitor.sees(f"Order {order.number}")
    visitor.follow(f"Download {NAME}")
    file = DownloadPage(visitor).download()

    letter = visitor.mailbox(account).opens("Your files")
    assert "when you are signed in" in letter.text
    letter.follows("/downloads/")
    link = visitor.path
    assert DownloadPage(visitor).left == 4

    stranger = arrive(scripts=visitor.scripts)
    stranger.go(link)
    assert stranger.heading == "Sign in"
    stranger.signs_in(account, PASSWORD)
    assert stranger.path == link
    assert sha256(DownloadPage(stranger).download()) == sha256(file)


def test_nobody_else_opens_the_order_of_an_account(
    visitor: Visitor, account: str, arrive: Arrive
) -> None:
    order = visitor.places_an_order(SLUG)
    stranger = arrive(scripts=visitor.scripts)
    stranger.go(f"/orders/{order.token}")
    assert stranger.heading == "Sign in"

    stranger.makes_an_account(f"other-{account}", PASSWORD)
    stranger.signs_in(f"other-{account}", PASSWORD)
    assert stranger.status_of(f"/orders/{order.token}") == 404
    assert visitor.status_of(f"/orders/{order.token}") == 200


def test_a_wrong_password_opens_nothing(visitor: Visitor, email: str) -> None:
    visitor.makes_an_account(email, PASSWORD)
    visitor.signs_in(email, f"{PASSWORD}!")
    visitor.sees("This e-mail and this password do not belong together.")
    assert visitor.page.get_by_label("E-mail").input_value() == email

    visitor.go("/account/orders")
    assert visitor.heading == "Sign in"


def test_signing_out_closes_the_account(visitor: Visitor, account: str) -> None:
    visitor.press("Sign out")
    visitor.go("/account/orders")
    assert visitor.heading == "Sign in"

    visitor.page.go_back()
    visitor.page.go_back()
    expect(visitor.page.locator("main")).not_to_contain_text(account)


def test_an_account_is_sent_back_to_the_checkout_with_its_cart(
    visitor: Visitor, email: str
) -> None:
    visitor.makes_an_account(email, PASSWORD)
    visitor.product(SLUG).add_to_cart().check_out()
    visitor.follow("Sign in instead")
    visitor.signs_in(email, PASSWORD)

    assert visitor.heading == "Checkout"
    visitor.sees(NAME)
    visitor.sees(email)


def test_a_weak_password_is_refused_beside_its_field(visitor: Visitor, email: str) -> None:
    visitor.go("/register")
    visitor.page.get_by_label("E-mail").fill(email)
    visitor.page.get_by_label("Password").fill("password")
    visitor.press("Make the account")

    assert "12" in visitor.error_beside("Password")
    assert visitor.page.get_by_label("E-mail").input_value() == email
