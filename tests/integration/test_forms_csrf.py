"""Forms are taken from our own pages only, and what was typed is not lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from app import clock
from tests import factories
from tests.pages import Page

EVIL = "https://evil.example"


def add_to_cart(client, product, **headers: str):
    token = client.page(f"/products/{product.slug}").forms[-1].fields["csrf_token"]
    return client.post(
        "/cart/items",
        data={"csrf_token": token, "product": product.slug, "quantity": "2"},
        headers=headers,
    )


def test_a_visitor_without_a_session_can_add_to_the_cart(client) -> None:
    product = factories.product()
    assert client.get(f"/products/{product.slug}").headers.get("Set-Cookie") is None
    assert add_to_cart(client, product).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    ],
)
def test_our_own_pages_are_believed(client, headers) -> None:
    assert add_to_cart(client, factories.product(), **headers).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "https://localhost"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": EVIL},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
def test_a_form_from_elsewhere_is_refused_even_with_a_good_token(client, headers) -> None:
    response = add_to_cart(client, factories.product(), **headers)
    assert response.status_code == 400
    assert "came from another site" in response.text
    assert not [form for form in Page(response.text).forms if form.method == "post"]


@pytest.mark.parametrize("token", [None, "", "wrong", "IiI.x.y"])
def test_a_missing_or_wrong_token_changes_nothing(client, token) -> None:
    product = factories.product()
    data = {"product": product.slug, "quantity": "2"} | ({"csrf_token": token} if token else {})
    response = client.post("/cart/items", data=data)
    assert response.status_code == 400
    assert "This form has expired" in response.text
    assert "cart-badge" not in client.get("/cart").text


def test_a_visitors_token_opens_no_other_form(client) -> None:
    product = factories.product()
    token = client.page(f"/products/{product.slug}").forms[-1].fields["csrf_token"]
    client.get("/login")
    response = client.post(
        "/login", data={"csrf_token": token, "email": "a@example.org", "password": "x"}
    )
    assert response.status_code == 400


def test_a_visitors_token_lasts_a_day(client) -> None:
    product = factories.product()
    now = clock.now()
    with time_machine.travel(now, tick=False) as travel:
        token = client.page(f"/products/{product.slug}").forms[-1].fields["csrf_token"]
        data = {"csrf_token": token, "product": product.slug, "quantity": "1"}
        travel.move_to(now + timedelta(hours=23))
        assert client.post("/cart/items", data=data).status_code == 303
        travel.move_to(now + timedelta(hours=25))
        assert client.post("/cart/items", data=data).status_code == 400


def test_a_kept_page_never_holds_a_token_near_its_end(client) -> None:
    product = factories.product()
    now = clock.now()
    with time_machine.travel(now, tick=False) as travel:
        client.get(f"/products/{product.slug}")
        travel.move_to(now + timedelta(hours=25))
        assert add_to_cart(client, product).status_code == 303


def test_every_process_keeps_the_same_page(client, app) -> None:
    address = f"/products/{factories.product().slug}"
    at_ten_past = clock.now().replace(minute=10)
    with time_machine.travel(at_ten_past, tick=False) as travel:
        etag = client.get(address).headers["ETag"]
        travel.move_to(at_ten_past + timedelta(minutes=30))
        app.extensions.pop("kept_pages")  # what another process has not rendered yet
        assert client.get(address).headers["ETag"] == etag


def test_an_expired_form_is_sent_again_with_what_was_typed(client) -> None:
    product = factories.product()
    refused = client.post(
        "/cart/items", data={"csrf_token": "old", "product": product.slug, "quantity": "4"}
    )
    form = Page(refused.text).forms[-1]
    assert form.fields["product"] == product.slug
    assert form.fields["quantity"] == "4"
    assert client.post("/cart/items", data=form.fields).status_code == 303
    assert '<span class="cart-badge">4' in client.get("/").text


def test_an_expired_form_with_a_session_is_sent_again_too(client) -> None:
    factories.user(email="jane@example.org")
    refused = client.post("/login", data={"email": "jane@example.org", "password": "hunter-two-22"})
    assert refused.status_code == 400
    assert "hunter-two-22" not in refused.text
    form = Page(refused.text).forms[-1]
    assert form.fields["email"] == "jane@example.org"
    again = client.post("/login", data=form.fields | {"password": factories.PASSWORD})
    assert again.status_code == 303


def test_what_was_typed_cannot_break_out_of_the_page(client) -> None:
    refused = client.post("/cart/items", data={"product": '"><script>alert(1)</script>'})
    assert "<script>alert" not in refused.text


def test_every_form_that_changes_something_needs_a_token(app) -> None:
    client = app.test_client()
    tried = set()
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or set()):
            continue
        path = re.sub(r"<(int:)?\w+>", "1", rule.rule)
        assert client.post(path).status_code in {400, 404}, rule.rule
        assert client.post(path, headers={"Origin": EVIL}).status_code in {400, 404}, rule.rule
        tried.add(rule.endpoint)
    assert {"cart.add", "auth.login", "auth.logout"} <= tried
