"""Money that is claimed, late, or in the way (rows B14 to B16; the others: docs/security.md)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import clock
from app.extensions import db
from app.models import Order, OrderStatus, Payment, PaymentStatus
from app.payments.base import Credit, Observation, Stage
from app.services import invariants, openings, orders, payments, schedule, verdicts
from tests import buying, factories
from tests.fakes.explorer import FakeExplorer
from tests.fakes.provider import FakeProvider
from tests.fakes.transactions import build
from tests.pages import Client
from tests.races import together

# B1


@pytest.mark.parametrize("spell", [str, str.upper, lambda txid: f"  {txid}\n", "{}".format])
def test_one_transaction_pays_one_order_however_it_is_spelled(
    app: Flask, client: Client, provider: FakeProvider, spell
) -> None:
    first, second = (buying.order(client, factories.product()) for _ in range(2))
    txid = buying.pay(provider, first).partition(":")[0]
    answer = client.submit(f"{second}/proof", transaction_id=spell(txid))
    assert answer.status_code == 422
    paid = db.session.query(Order).filter_by(status=OrderStatus.PAID).count()
    assert paid == 1


# B14


def test_money_that_comes_at_the_moment_of_expiry_is_not_lost(
    app: Flask, provider: FakeProvider
) -> None:
    now = clock.now()
    with time_machine.travel(now, tick=False) as traveller:
        opened = [openings.open_payment(factories.order().id, "fake") for _ in range(10)]
        due = {payment.id: payment.due for payment in opened}
        for payment in opened:
            txid = f"{payment.id:064x}"
            provider.receive(payment.reference, payment.due_minor, txid=txid)
        traveller.move_to(now + timedelta(hours=2, seconds=1))
        ids = [*due] * 2

        def tell(number: int) -> None:
            """One half says that nothing came, the other half that all of it did."""
            id_ = ids[number]
            came = Credit(reference=f"{id_:064x}:0", amount=due[id_], stage=Stage.SETTLED)
            seen = [came] if number >= len(due) else []
            verdicts.record(Observation(payment_id=id_, credits=seen, checked_at=clock.now()))

        outcome = together(app, 20, tell)
        assert outcome.errors == []
        traveller.shift(schedule.HOT)  # who lost the race is looked at again, at today's rate
        payments.check_due()
    assert db.session.query(Order).filter_by(status=OrderStatus.PAID).count() == 10
    assert invariants.findings() == []


def test_the_sweep_for_abandoned_orders_takes_none_that_is_just_being_paid(
    app: Flask, provider: FakeProvider
) -> None:
    now = clock.now()
    with time_machine.travel(now, tick=False) as traveller:
        ids = [factories.order().id for _ in range(10)]
        traveller.move_to(now + timedelta(hours=2, seconds=1))

        def act(number: int) -> None:
            if number == 0:
                orders.expire_abandoned()
                db.session.commit()
            else:
                payment = openings.open_payment(ids[number - 1], "fake")
                provider.receive(payment.reference, payment.due_minor)
                payments.refresh([payment.id])

        outcome = together(app, 11, act)
    assert outcome.errors == []
    assert db.session.query(Order).filter_by(status=OrderStatus.PAID).count() == 10
    assert invariants.findings() == []


# B15


@pytest.mark.parametrize("hours", [3, -3])
def test_a_clock_that_jumps_loses_no_payment(
    app: Flask, provider: FakeProvider, hours: int
) -> None:
    now = clock.now()
    with time_machine.travel(now, tick=False) as traveller:
        opened = [openings.open_payment(factories.order().id, "fake") for _ in range(5)]
        for payment in opened[:4]:
            provider.receive(payment.reference, payment.due_minor)
        traveller.move_to(now + timedelta(hours=hours))
        payments.check_due()
        traveller.move_to(now + timedelta(minutes=5))
        payments.check_due()
        last = db.session.get_one(Payment, opened[4].id)
        provider.receive(last.reference, last.due_minor)
        payments.refresh([last.id])
        traveller.move_to(now + timedelta(hours=4))
        payments.check_due()
    assert {order.status for order in db.session.query(Order)} == {OrderStatus.PAID}
    assert invariants.findings() == []


# B16, B17


def test_ids_posted_without_end_hardly_reach_the_explorer(
    onchain: Flask, explorer: FakeExplorer
) -> None:
    client = onchain.test_client()
    assert isinstance(client, Client)
    page = buying.order(client, factories.product())
    token = client.page(f"{page}/proof").forms[-1].fields["csrf_token"]
    asked = len(explorer.asked)
    statuses = [
        client.post(
            f"{page}/proof",
            data={"csrf_token": token, "transaction_id": f"{number:064x}"},
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        ).status_code
        for number in range(200)
    ]
    assert statuses.count(429) == 195
    assert len(explorer.asked) - asked <= 20


def test_an_odd_id_leads_the_store_to_no_other_address(
    onchain: Flask, explorer: FakeExplorer
) -> None:
    client = onchain.test_client()
    assert isinstance(client, Client)
    for number, odd in enumerate(
        ["../../admin", "a" * 63 + "/", "http://169.254.169.254/latest", "%2e%2e%2f" * 8, "?" * 64,
         "#" * 64, "a" * 64 + "/../x", "a" * 64 + "\r\nHost: evil.example", "０" * 64, "\x00" * 64]
    ):  # fmt: skip
        if number % 5 == 0:  # five a minute for each order
            page = buying.order(client, factories.product())
            asked = len(explorer.asked)
        assert client.submit(f"{page}/proof", transaction_id=odd).status_code == 422
        assert len(explorer.asked) == asked


def test_a_posted_transaction_pays_through_the_real_rail(
    onchain: Flask, explorer: FakeExplorer
) -> None:
    client = onchain.test_client()
    assert isinstance(client, Client)
    page = buying.order(client, factories.product(price=100))
    payment = db.session.query(Payment).one()
    raw = build([(payment.due_minor, bytes.fromhex(str(payment.details["script"])))])
    txid = explorer.send(raw)
    explorer.mine(txid)
    assert client.submit(f"{page}/proof", transaction_id=txid.upper()).status_code == 303
    db.session.rollback()
    assert db.session.query(Payment).one().status is PaymentStatus.SETTLED
