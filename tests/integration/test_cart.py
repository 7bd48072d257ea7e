"""The cart: what a visitor gathers, in a cookie that nobody can make say something else."""

from __future__ import annotations

import pytest
from flask import Flask

from app.extensions import db
from app.services.carts import MAX_LINES
from tests import factories
from tests.buying import put_in_cart
from tests.fakes.provider import FakeProvider
from tests.pages import Client


def test_a_product_goes_from_its_page_into_the_cart(client: Client) -> None:
    put_in_cart(client, factories.product(name="Node Runner", price=1900), quantity=2)
    cart = client.get("/cart").text
    assert "Node Runner" in cart
    assert "$38.00" in cart


def test_the_cart_names_the_total_in_bsv_and_the_age_of_the_rate(client: Client) -> None:
    put_in_cart(client, factories.product(price=1900))
    cart = client.get("/cart").text
    assert "0.76000000 BSV" in cart
    assert "25 USD per BSV" in cart
    assert "ago</time>" in cart


def test_without_a_rate_the_cart_speaks_of_dollars_alone(
    client: Client, provider: FakeProvider
) -> None:
    provider.rate = None
    put_in_cart(client, factories.product(price=1900))
    cart = client.get("/cart").text
    assert "$19.00" in cart
    assert "BSV" not in cart


def test_quantities_change_and_lines_go(client: Client) -> None:
    product = factories.product(price=500)
    id_ = product.id
    put_in_cart(client, product)
    client.submit("/cart", f"/cart/items/{id_}", quantity="3")
    assert "$15.00" in client.get("/cart").text
    client.submit("/cart", "/remove")
    assert "Nothing in it yet" in client.get("/cart").text


@pytest.mark.parametrize(
    "quantity", ["0", "-1", "1e9", "NaN", "inf", "1.5", "９", "9" * 20, "", "1;2", "10"]
)
def test_a_quantity_that_is_none_is_refused_beside_the_field(client: Client, quantity: str) -> None:
    put_in_cart(client, factories.product(price=500))
    answer = client.submit("/cart", "/cart/items/", quantity=quantity)
    assert answer.status_code == 422
    assert "whole number from 1 to 9" in answer.text
    assert f'value="{quantity}" aria-invalid="true"' in answer.text
    assert "$5.00" in client.get("/cart").text

    slug = factories.product().slug
    answer = client.submit(f"/products/{slug}", "/cart/items", quantity=quantity)
    assert answer.status_code == 422
    assert "whole number from 1 to 9" in answer.text


def test_what_is_not_for_sale_cannot_be_added(client: Client) -> None:
    put_in_cart(client, factories.product())
    hidden = factories.product(is_active=False).slug
    form = client.page("/cart").forms[-1].fields
    for slug in (hidden, "no-such-thing", ""):
        answer = client.post("/cart/items", data={**form, "product": slug, "quantity": "1"})
        assert answer.status_code == 404


def test_a_product_that_vanished_is_told_of_once_and_dropped(client: Client) -> None:
    gone = factories.product(name="Short Lived")
    put_in_cart(client, gone)
    put_in_cart(client, factories.product(name="Evergreen"))
    gone.is_active = False
    db.session.commit()
    first, second = client.get("/cart").text, client.get("/cart").text
    assert "One product is no longer for sale" in first
    assert "no longer for sale" not in second
    assert "Evergreen" in second
    assert "Short Lived" not in second


def test_another_version_of_the_cookie_is_an_empty_cart(client: Client) -> None:
    put_in_cart(client, factories.product())
    for old in (None, [], "x", {"v": 0, "items": {"1": 1}}, {"v": 1, "items": [1]}, {"1": 2}):
        with client.session_transaction() as session:
            session["cart"] = old
        assert "Nothing in it yet" in client.get("/cart").text


def test_an_altered_cookie_is_an_empty_cart(client: Client, app: Flask) -> None:
    put_in_cart(client, factories.product())
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    client.set_cookie(name, "e" + cookie.value[1:])
    assert "Nothing in it yet" in client.get("/cart").text


def test_a_full_cart_fits_into_a_cookie_and_says_that_it_is_full(client: Client) -> None:
    for _ in range(MAX_LINES):
        put_in_cart(client, factories.product(), quantity=9)
    slug = factories.product().slug
    answer = client.submit(f"/products/{slug}", "/cart/items", quantity="1")
    assert answer.status_code == 422
    assert f"{MAX_LINES} different products" in answer.text
    kept = client.submit("/cart", "/cart/items/1", quantity="9").headers["Set-Cookie"]
    assert len(kept) < 4096


def test_a_form_from_another_site_fills_no_cart(client: Client) -> None:
    slug = factories.product().slug
    form = {"product": slug, "quantity": "1"}
    assert client.post("/cart/items", data=form).status_code == 400
    fields = client.page(f"/products/{slug}").forms[-1].fields
    from_elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/cart/items", data=fields, headers=from_elsewhere).status_code == 400
    assert "Nothing in it yet" in client.get("/cart").text


def test_an_expired_form_keeps_what_was_typed(client: Client) -> None:
    slug = factories.product().slug
    answer = client.post(
        "/cart/items", data={"product": slug, "quantity": "4", "csrf_token": "stale"}
    )
    assert answer.status_code == 400
    assert "This form has expired" in answer.text
    assert 'value="4"' in answer.text


def test_extra_fields_change_nothing(client: Client) -> None:
    product = factories.product(price=1900)
    fields = client.page(f"/products/{product.slug}").forms[-1].fields
    extra = {"price": "1", "price_minor": "1", "total": "1", "currency": "JPY", "is_active": "1"}
    client.post("/cart/items", data={**fields, "quantity": "1", **extra})
    assert "$19.00" in client.get("/cart").text
