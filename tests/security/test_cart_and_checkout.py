"""What a buyer may say about an order, and how often it then exists (rows K1 to K11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import time_machine
from flask import Flask

from app import clock
from app.extensions import db
from app.models import Entitlement, Order, OrderStatus, OutgoingEmail, Payment
from app.payments.onchain.spv.transaction import txid_of
from app.services import openings, orders, payments
from tests import buying, factories
from tests.fakes.explorer import FakeExplorer
from tests.fakes.provider import FakeProvider
from tests.fakes.transactions import build
from tests.pages import Client
from tests.races import together
from tests.security.conftest import Bought

Visitor = Callable[[], Client]


# K5, K10


def test_a_price_changed_after_the_order_changes_nothing_for_it(
    client: Client, provider: FakeProvider
) -> None:
    product = factories.product(price=1900)
    page = buying.order(client, product)
    product.price_minor, product.name = 9900, "Renamed"
    db.session.commit()
    assert "$19.00" in client.get(page).text
    assert "Renamed" not in client.get(page).text
    buying.pay(provider, page)
    order = db.session.query(Order).one()
    assert (order.status, order.total_minor) == (OrderStatus.PAID, 1900)


def test_what_costs_nothing_takes_the_same_way_and_no_payment(client: Client) -> None:
    page = buying.order(client, factories.product(price=0))
    token = client.page("/login").forms[-1].fields["csrf_token"]
    assert client.post(f"{page}/pay/fake", data={"csrf_token": token}).location == page
    assert client.get(f"{page}/proof").location == page
    assert db.session.query(Payment).count() == 0
    assert db.session.query(Entitlement).count() == 1
    assert db.session.query(OutgoingEmail).count() == 1


# K6


def test_eight_tabs_that_send_one_form_at_once_get_one_order(
    app: Flask, client: Client, visitor: Visitor
) -> None:
    buying.put_in_cart(client, factories.product())
    fields = {**client.page("/checkout").forms[-1].fields, "email": "ada@example.org"}
    cookie = client.get_cookie("session")
    assert cookie is not None
    tabs = [visitor() for _ in range(8)]
    for tab in tabs:
        tab.set_cookie("session", cookie.value)
    outcome = together(app, 8, lambda number: tabs[number].post("/checkout", data=fields))
    assert outcome.errors == []
    assert [answer.status_code for answer in outcome.results] == [303] * 8
    assert len({answer.location for answer in outcome.results}) == 1
    assert db.session.query(Order).count() == 1
    assert db.session.query(Payment).count() == 1


# K8


def test_a_cart_of_sixty_products_still_fits_into_its_cookie(client: Client) -> None:
    token = client.page(f"/products/{factories.product().slug}").forms[-1].fields["csrf_token"]
    for number in range(60):
        slug = factories.product().slug
        form = {"csrf_token": token, "product": slug, "quantity": "9"}
        answer = client.post("/cart/items", data=form)
        assert answer.status_code == (303 if number < 50 else 422)
        for cookie in answer.headers.getlist("Set-Cookie"):
            assert len(cookie) < 4096
    assert client.get("/cart").text.count('name="quantity"') == 50


# K11


def test_orders_nobody_pays_end_by_themselves(client: Client) -> None:
    now = clock.now()
    with time_machine.travel(now, tick=False) as traveller:
        for _ in range(20):
            factories.order()
        traveller.move_to(now + timedelta(hours=2, minutes=1))
        while orders.expire_abandoned():
            db.session.commit()
    assert {order.status for order in db.session.query(Order)} == {OrderStatus.EXPIRED}


def test_after_many_orders_nobody_pays_the_last_one_still_gets_its_money(
    explorer: FakeExplorer, onchain: Flask
) -> None:
    opened = [openings.open_payment(factories.order().id, "onchain").id for _ in range(25)]
    rows = [db.session.get_one(Payment, id_) for id_ in opened]
    assert [row.sequence_number for row in rows] == list(range(25))
    assert len({row.reference for row in rows}) == 25
    last = rows[-1]
    raw = build([(last.due_minor, bytes.fromhex(str(last.details["script"])))])
    explorer.send(raw)
    explorer.mine(txid_of(raw))
    asked = len(explorer.asked)
    payments.refresh(opened)
    assert len(explorer.asked) - asked < 10
    db.session.rollback()
    assert db.session.get_one(Payment, opened[-1]).order.status is OrderStatus.PAID
    assert db.session.query(Order).filter_by(status=OrderStatus.PAID).count() == 1


def test_a_bought_order_is_not_ordered_again_by_going_back(client: Client, bought: Bought) -> None:
    assert client.get("/checkout").location == "/cart"
    assert db.session.query(Order).count() == 1
