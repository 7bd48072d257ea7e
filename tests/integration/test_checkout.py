"""From cart to order: once, at the price that was shown, for whoever gives an e-mail."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask

from app.blueprints import limits
from app.extensions import db
from app.models import Order, OrderStatus, Payment
from app.services import accounts
from tests import factories
from tests.buying import check_out, order, put_in_cart
from tests.fakes.provider import FakeProvider
from tests.pages import Client


def orders() -> list[Order]:
    """All orders, as the database has them now."""
    db.session.rollback()
    return db.session.query(Order).order_by(Order.id).all()


def sign_in(client: Client, email: str) -> None:
    client.submit("/login", "/login", email=email, password=factories.PASSWORD)


def test_a_guest_orders_with_an_e_mail_only_and_lands_on_the_payment(client: Client) -> None:
    page = order(client, factories.product(price=1900), email="Ada@Example.org")
    assert page.startswith("/orders/")
    (placed,) = orders()
    assert placed.email == "ada@example.org"
    assert placed.user_id is None
    assert [payment.provider for payment in placed.payments] == ["fake"]
    shown = client.get(page).text
    assert "0.76000000 BSV" in shown
    assert "Nothing in it yet" in client.get("/cart").text


def test_a_signed_in_buyer_is_asked_for_nothing(client: Client) -> None:
    buyer = factories.user()
    email = buyer.email
    put_in_cart(client, factories.product())
    assert "Sign in instead" in client.get("/checkout").text
    sign_in(client, email)
    page = client.page("/checkout")
    assert not any("email" in form.fields for form in page.forms)
    assert client.submit("/checkout", "/checkout").status_code == 303
    (placed,) = orders()
    assert placed.user is not None
    assert placed.user.email == placed.email == email


def test_an_empty_cart_leads_back_to_the_cart(client: Client) -> None:
    assert client.get("/checkout").location == "/cart"
    put_in_cart(client, factories.product())
    fields = client.page("/checkout").forms[-1].fields
    client.submit("/cart", "/remove")
    answer = client.post("/checkout", data={**fields, "email": "ada@example.org"})
    assert (answer.status_code, answer.location) == (303, "/cart")
    assert not orders()


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "@example.org", "ada@example", "ada example@example.org", "a@b@c.org",
     "ada@example.org\nBcc: eve@example.org", "ada@example.org,eve@example.org"],
)  # fmt: skip
def test_what_is_no_address_is_shown_again_with_what_is_wrong(client: Client, email: str) -> None:
    put_in_cart(client, factories.product())
    answer = client.submit("/checkout", "/checkout", email=email)
    assert answer.status_code == 422
    assert 'id="email-errors"' in answer.text
    assert not orders()


def test_a_slip_of_the_finger_is_asked_about_and_taken_with_one_click(client: Client) -> None:
    put_in_cart(client, factories.product())
    answer = client.submit("/checkout", "/checkout", email="ada@gmial.com")
    assert answer.status_code == 422
    assert "Did you mean <strong>ada@gmail.com</strong>?" in answer.text
    fields = client.page("/checkout").forms[-1].fields
    pressed = {**fields, "email": "ada@gmial.com", "take": "ada@gmail.com"}
    assert client.post("/checkout", data=pressed).status_code == 303
    assert [placed.email for placed in orders()] == ["ada@gmail.com"]


def test_whoever_means_what_they_typed_keeps_it(client: Client) -> None:
    put_in_cart(client, factories.product())
    fields = client.page("/checkout").forms[-1].fields
    insisting = {**fields, "email": "ada@gmial.com", "hinted": "ada@gmial.com"}
    assert client.post("/checkout", data=insisting).status_code == 303
    assert [placed.email for placed in orders()] == ["ada@gmial.com"]


def test_the_hint_takes_no_address_that_it_did_not_offer(client: Client) -> None:
    put_in_cart(client, factories.product())
    fields = client.page("/checkout").forms[-1].fields
    forged = {**fields, "email": "ada@gmial.com", "take": "eve@example.org"}
    assert client.post("/checkout", data=forged).status_code == 422
    assert not orders()


def test_a_price_that_changed_is_said_before_anything_is_ordered(client: Client) -> None:
    product = factories.product(price=1900)
    put_in_cart(client, product)
    fields = {**client.page("/checkout").forms[-1].fields, "email": "ada@example.org"}
    product.price_minor = 2900
    db.session.commit()
    answer = client.post("/checkout", data=fields)
    assert answer.status_code == 409
    assert "The total is now <strong>$29.00</strong>" in answer.text
    assert 'value="ada@example.org"' in answer.text
    assert not orders()
    check_out(client)
    assert [placed.total_minor for placed in orders()] == [2900]


def test_a_product_taken_off_sale_is_not_ordered(client: Client) -> None:
    gone, kept = factories.product(price=500), factories.product(price=700)
    put_in_cart(client, gone)
    put_in_cart(client, kept)
    fields = {**client.page("/checkout").forms[-1].fields, "email": "ada@example.org"}
    gone.is_active = False
    db.session.commit()
    assert client.post("/checkout", data=fields).status_code == 409
    check_out(client)
    assert [placed.total_minor for placed in orders()] == [700]


@pytest.mark.parametrize("total", ["1", "-1", "0", "", "1e9", "９", "9" * 40])
def test_a_total_out_of_thin_air_orders_nothing(client: Client, total: str) -> None:
    put_in_cart(client, factories.product(price=1900))
    answer = client.submit("/checkout", "/checkout", email="ada@example.org", total=total)
    assert answer.status_code == 409
    assert not orders()


def test_the_same_button_pressed_again_gives_the_same_order(client: Client) -> None:
    put_in_cart(client, factories.product())
    fields = {**client.page("/checkout").forms[-1].fields, "email": "ada@example.org"}
    first, second = (client.post("/checkout", data=fields) for _ in range(2))
    assert first.location == second.location
    assert len(orders()) == 1
    assert db.session.query(Payment).count() == 1


def test_a_key_of_another_visitor_gives_an_order_of_ones_own(app: Flask, client: Client) -> None:
    product = factories.product()
    put_in_cart(client, product)
    fields = {**client.page("/checkout").forms[-1].fields, "email": "ada@example.org"}
    first = client.post("/checkout", data=fields).location
    other = app.test_client()
    assert isinstance(other, Client)
    put_in_cart(other, product)
    answer = other.submit("/checkout", "/checkout", email="eve@example.org", key=fields["key"])
    assert answer.status_code == 303
    assert answer.location != first
    assert {placed.email for placed in orders()} == {"ada@example.org", "eve@example.org"}


def test_nobody_orders_without_a_cart_of_their_own(client: Client) -> None:
    token = client.page("/login").forms[-1].fields["csrf_token"]
    form = {"csrf_token": token, "key": "k", "total": "0", "email": "ada@example.org"}
    assert client.post("/checkout", data=form).location == "/cart"
    assert not orders()


def test_without_a_rate_the_order_is_kept_and_paid_later(
    client: Client, provider: FakeProvider
) -> None:
    provider.rate = None
    page = order(client, factories.product(price=1900))
    shown = client.get(page).text
    assert "We cannot give you a price to pay at this moment" in shown
    assert "there is no exchange rate we trust" in shown
    assert "Nothing in it yet" in client.get("/cart").text
    provider.rate = Decimal(25)
    client.submit(page, "/pay/fake")
    assert "0.76000000 BSV" in client.get(page).text


def test_what_costs_nothing_is_bought_without_paying(client: Client) -> None:
    page = order(client, factories.product(price=0))
    assert "Your downloads" in client.get(page).text
    (placed,) = orders()
    assert placed.status is OrderStatus.PAID
    assert not placed.payments


def test_extra_fields_change_nothing(client: Client) -> None:
    put_in_cart(client, factories.product(price=1900))
    fields = client.page("/checkout").forms[-1].fields
    extra = {"price": "1", "currency": "JPY", "status": "paid", "user_id": "1", "number": "S-1"}
    extra |= {"paid_at": "2020-01-01", "is_admin": "1", "id": "7", "total_minor": "1"}
    client.post("/checkout", data={**fields, **extra, "email": "ada@example.org"})
    (placed,) = orders()
    assert (placed.total_minor, placed.status, placed.user_id) == (1900, OrderStatus.PENDING, None)


def test_thirty_orders_an_hour_are_enough_for_one_visitor(client: Client) -> None:
    assert limits.ORDERS == "30 per hour"
    product = factories.product()
    for _ in range(30):
        order(client, product)
    put_in_cart(client, product)
    answer = client.submit("/checkout", "/checkout", email="ada@example.org")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert len(orders()) == 30


def test_the_cart_comes_along_when_signing_in(client: Client) -> None:
    buyer = accounts.register("ada@example.org", factories.PASSWORD)
    email = buyer.email
    put_in_cart(client, factories.product(name="Node Runner"))
    sign_in(client, email)
    assert "Node Runner" in client.get("/cart").text
