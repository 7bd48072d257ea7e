"""The back office exists for admins only, and every decision there is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import clock
from app.extensions import db
from app.models import EmailStatus, Event, Order, OrderStatus, OutgoingEmail, Payment, User
from app.services import backoffice, orders, payments
from tests import factories
from tests.buying import order, pay
from tests.fakes.provider import FakeProvider
from tests.pages import Client


def sign_in(client: Client, *, is_admin: bool) -> str:
    email = factories.user(is_admin=is_admin).email
    client.submit("/login", "/login", email=email, password=factories.PASSWORD)
    return email


@pytest.fixture
def admin(app: Flask) -> Client:
    client = app.test_client()
    assert isinstance(client, Client)
    sign_in(client, is_admin=True)
    return client


def rules_of_the_back_office(app: Flask) -> list[str]:
    """Every address under /admin, with something put in for its parts."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin")]
    assert len(rules) >= 3
    with app.test_request_context():
        return [
            app.url_map.bind("localhost").build(
                rule.endpoint,
                {name: 1 if name.endswith("_id") else "S-1" for name in rule.arguments},
            )
            for rule in rules
        ]


@pytest.mark.parametrize("is_customer", [False, True])
def test_for_anybody_else_there_is_no_back_office(
    app: Flask, client: Client, is_customer: bool
) -> None:
    if is_customer:
        sign_in(client, is_admin=False)
    unknown = client.get("/no-such-page")
    paths = [*rules_of_the_back_office(app), "/admin", "/admin/", "/admin/no-such-page"]
    for path in paths:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            answer = client.open(path, method=method)
            assert answer.status_code == 404, f"{method} {path}"
            assert answer.text == unknown.text
            assert "Allow" not in answer.headers
        assert client.head(path).status_code == 404
    for path in ("//admin", "///admin/", "/admin//orders"):
        answer = client.get("/", environ_overrides={"PATH_INFO": path})
        assert answer.status_code == 404
    assert client.get("/admin%2f").status_code == 404


def test_an_admin_sees_it(admin: Client) -> None:
    assert "Back office" in admin.get("/admin/").text
    assert "/admin/" in admin.page("/account/orders").links


def test_who_is_no_longer_an_admin_sees_it_no_more(admin: Client) -> None:
    db.session.query(User).update({"is_admin": False})
    db.session.commit()
    assert admin.get("/admin/").status_code == 404


def test_what_is_not_there_is_404_for_admins_too(admin: Client) -> None:
    for path in ("/admin/orders/S-NONE", "/admin/?page=99", "/admin/?page=0"):
        assert admin.get(path).status_code == 404


def test_the_latest_orders_come_in_pages(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoffice, "PER_PAGE", 2)
    numbers = [factories.order().number for _ in range(3)]
    first, second = admin.get("/admin/").text, admin.get("/admin/?page=2").text
    assert [number in first for number in numbers] == [False, True, True]
    assert [number in second for number in numbers] == [True, False, False]


def test_nothing_odd_means_nothing_to_do(admin: Client) -> None:
    factories.order()
    assert "Nothing. All is well." in admin.get("/admin/").text


def test_odd_money_and_letters_that_did_not_arrive_ask_for_attention(
    client: Client, admin: Client, provider: FakeProvider
) -> None:
    page = order(client, factories.product())
    pay(provider, page, satoshis=90_000_000)
    number = db.session.query(Order).one().number
    assert "Overpaid" in admin.get("/admin/").text
    db.session.query(Order).update({"paid_twice": True})
    letter = db.session.query(OutgoingEmail).filter_by(letter="download").one()
    letter.status, letter.last_error = EmailStatus.GIVEN_UP, "550 no such mailbox"
    db.session.commit()
    shown = admin.get("/admin/").text
    assert "Paid twice" in shown
    assert "550 no such mailbox" in shown
    assert f"/admin/orders/{number}" in admin.page("/admin/").links


def test_an_orders_page_tells_its_whole_story(
    client: Client, admin: Client, provider: FakeProvider
) -> None:
    page = order(client, factories.product(name="Node Runner"))
    reference = pay(provider, page)
    shown = admin.get(f"/admin/orders/{db.session.query(Order).one().number}").text
    for said in ("Node Runner", "ada@example.org", reference, "placed", "opened through Fake money",
                 "0 of 5 downloads used", "“download” to ada@example.org"):  # fmt: skip
        assert said in shown


@pytest.fixture
def in_review(client: Client, provider: FakeProvider) -> str:
    """The order's page of a buyer whose late money is too little."""
    page = order(client, factories.product())
    with time_machine.travel(clock.now() + timedelta(hours=3), tick=False):
        payments.check_due()
        pay(provider, page, satoshis=100)
    return page


def test_accepting_a_payment_opens_the_downloads_and_is_written_down(
    client: Client, admin: Client, in_review: str
) -> None:
    found = db.session.query(Order).one()
    path, id_ = f"/admin/orders/{found.number}", found.id
    events = db.session.query(Event).count()
    answer = admin.submit(path, "/accept", reason="He sent the rest by letter")
    assert answer.status_code == 303
    assert "Your downloads" in client.get(in_review).text
    assert "The payment is accepted." in admin.get(path).text
    written = db.session.query(Event).order_by(Event.id).offset(events).all()
    assert (written[0].who, written[0].why) == (
        db.session.query(User).filter_by(is_admin=True).one().email,
        "He sent the rest by letter",
    )
    assert db.session.get_one(Order, id_).status is OrderStatus.PAID


@pytest.mark.parametrize("reason", ["", "  ", "x", "y" * 501])
def test_no_payment_is_accepted_without_a_reason(
    admin: Client, in_review: str, reason: str
) -> None:
    path = f"/admin/orders/{db.session.query(Order).one().number}"
    answer = admin.submit(path, "/accept", reason=reason)
    assert answer.status_code == 422
    assert "Say in a few words why." in answer.text
    assert db.session.query(Order).one().status is OrderStatus.EXPIRED


def test_only_a_payment_of_that_order_that_needs_a_decision_is_accepted(
    client: Client, admin: Client, provider: FakeProvider, in_review: str
) -> None:
    token = admin.page(f"/admin/orders/{db.session.query(Order).one().number}").forms[-1].fields
    waiting = order(client, factories.product())
    other = orders.open_by_token(waiting.rpartition("/")[2], user=None)
    first = db.session.query(Payment).order_by(Payment.id).first()
    assert first is not None
    for payment_id in (other.payments[0].id, first.id, 2**70):
        path = f"/admin/orders/{other.number}/payments/{payment_id}/accept"
        answer = admin.post(path, data={**token, "reason": "because I say so"})
        assert answer.status_code == 404
    db.session.rollback()
    assert db.session.query(Order).filter_by(status=OrderStatus.PAID).count() == 0


def test_a_decision_needs_a_form_of_ours(admin: Client, in_review: str) -> None:
    found = db.session.query(Order).one()
    path = f"/admin/orders/{found.number}/payments/{found.payments[0].id}/accept"
    assert admin.post(path, data={"reason": "because I say so"}).status_code == 400
