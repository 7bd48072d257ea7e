"""Many at once. Each race has its control: with the defence taken out, the same race is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from app import clock
from app.extensions import db, reading
from app.models import (
    Download,
    Entitlement,
    Order,
    OrderStatus,
    OutgoingEmail,
    Payment,
    PaymentCredit,
    PaymentStatus,
)
from app.money import bsv
from app.payments.base import Credit, Observation, Stage
from app.services import downloads, invariants, openings, orders, outbox, payments, verdicts
from app.services.carts import Cart, fill
from tests import factories
from tests.fakes.outgoing import Outgoing
from tests.fakes.provider import FakeProvider
from tests.races import Outcome, Trigger, together

LIMIT = 5


# ── downloads ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def entitlement_id(app: Flask, provider: FakeProvider) -> int:
    payment = openings.open_payment(factories.order().id, "fake")
    provider.receive(payment.reference, payment.due_minor)
    payments.refresh([payment.id])
    return db.session.query(Entitlement).one().id


def race_for_downloads(app: Flask, entitlement_id: int) -> Outcome[int]:
    def download(_number: int) -> int:
        entitlement = db.session.get_one(Entitlement, entitlement_id)
        started = downloads.start(entitlement, downloads.files(entitlement.product)[0].id)
        db.session.commit()
        return started.id

    return together(app, 20, download)


def test_twenty_parallel_downloads_at_a_limit_of_five_serve_exactly_five(
    app: Flask, entitlement_id: int
) -> None:
    outcome = race_for_downloads(app, entitlement_id)
    assert len(outcome.results) == LIMIT
    assert {type(error) for error in outcome.errors} == {downloads.UsedUp}
    assert db.session.get_one(Entitlement, entitlement_id).downloads_used == LIMIT
    assert db.session.query(Download).count() == LIMIT


def test_control_looking_before_counting_loses_the_race_for_downloads(
    app: Flask, entitlement_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = Trigger(20)

    def check_then_act(entitlement: Entitlement, file_id: int) -> Download:
        with reading():
            refused = downloads.refusal(entitlement)
            db.session.rollback()
        trigger.pull()
        if refused:
            raise refused
        db.session.execute(
            update(Entitlement)
            .where(Entitlement.id == entitlement_id)
            .values(downloads_used=Entitlement.downloads_used + 1)
        )
        return Download(id=1)

    monkeypatch.setattr(downloads, "start", check_then_act)
    outcome = race_for_downloads(app, entitlement_id)
    refused_in_words = [error for error in outcome.errors if isinstance(error, downloads.UsedUp)]
    assert len(refused_in_words) < 15  # the rest ran into the database's own check


# ── one payment, many messengers ─────────────────────────────────────────────────────────────


@pytest.fixture
def paid(app: Flask, provider: FakeProvider) -> Payment:
    order = factories.order(factories.product(), factories.product())
    payment = openings.open_payment(order.id, "fake")
    provider.receive(payment.reference, payment.due_minor)
    return payment


def race_to_settle(app: Flask, payment_id: int) -> Outcome[list[int]]:
    return together(app, 8, lambda _number: payments.refresh([payment_id]))


def test_eight_messengers_of_one_payment_grant_once(app: Flask, paid: Payment) -> None:
    outcome = race_to_settle(app, paid.id)
    assert outcome.errors == []
    assert outcome.results == [[paid.id]] * 8  # each was heard
    assert db.session.query(Entitlement).count() == 2
    assert db.session.query(OutgoingEmail).count() == 1
    assert db.session.query(PaymentCredit).count() == 1
    settled = [event for event in paid.order.events if event.now == "settled" and event.was]
    assert len([event for event in settled if event.was == "awaiting"]) == 1
    assert invariants.findings() == []


def race_with_two_halves(app: Flask, payment: Payment) -> Outcome[int]:
    """Two messengers, each of whom has seen one half of the money."""
    half, id_ = payment.due_minor // 2, payment.id

    def tell(number: int) -> int:
        credit = Credit(reference=f"{number:064x}:0", amount=bsv(half), stage=Stage.SETTLED)
        seen = Observation(payment_id=id_, credits=[credit], checked_at=clock.now())
        return verdicts.record(seen).id

    return together(app, 2, tell)


def test_two_halves_told_at_once_make_a_whole(app: Flask, paid: Payment) -> None:
    outcome = race_with_two_halves(app, paid)
    assert outcome.errors == []
    assert paid.status is PaymentStatus.SETTLED
    assert db.session.query(Entitlement).count() == 2


def test_control_without_the_lock_neither_half_knows_of_the_other(
    app: Flask, paid: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = Trigger(2)

    def look_without_locking(payment_id: int) -> Payment:
        payment = db.session.get_one(Payment, payment_id)
        _ = payment.order.status, [credit.stage for credit in payment.credits]
        trigger.pull()
        return payment

    with_lock = verdicts.record

    def record_without_the_write_lock(observation: Observation) -> Payment:
        with reading():
            return with_lock(observation)

    monkeypatch.setattr(verdicts, "_lock", look_without_locking)
    monkeypatch.setattr(verdicts, "record", record_without_the_write_lock)
    outcome = race_with_two_halves(app, paid)
    assert outcome.errors or paid.status is not PaymentStatus.SETTLED


# ── one transaction, many orders ─────────────────────────────────────────────────────────────


def race_with_one_transaction(app: Flask, provider: FakeProvider) -> Outcome[int]:
    opened = [openings.open_payment(factories.order().id, "fake") for _ in range(10)]
    due, references = opened[0].due_minor, [payment.reference for payment in opened]
    txid = provider.a_txid()
    ids = [payment.id for payment in opened]

    def post(number: int) -> int:
        credit = Credit(reference=f"{txid}:0", amount=bsv(due), stage=Stage.SETTLED)
        return verdicts.record(
            Observation(payment_id=ids[number], credits=[credit], checked_at=clock.now())
        ).id

    assert len(set(references)) == 10
    return together(app, 10, post)


def test_one_transaction_posted_for_ten_orders_pays_one(app: Flask, provider: FakeProvider) -> None:
    outcome = race_with_one_transaction(app, provider)
    assert outcome.errors == []
    assert db.session.query(Order).filter_by(status=OrderStatus.PAID).count() == 1
    assert db.session.query(Entitlement).count() == 1
    assert invariants.findings() == []


def test_control_without_asking_whose_it_is_the_transaction_breaks_the_others(
    app: Flask, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_without_asking(payment: Payment, credit: object) -> bool:
        db.session.add(
            PaymentCredit(
                payment_id=payment.id,
                provider=payment.provider,
                reference=credit.reference,  # type: ignore[attr-defined]
                amount_minor=payment.due_minor,
                currency=payment.due_currency,
                stage="settled",
                evidence={},
                first_seen_at=payment.created_at,
                changed_at=payment.created_at,
            )
        )
        db.session.flush()
        return True

    monkeypatch.setattr(verdicts, "_add", add_without_asking)
    assert len(race_with_one_transaction(app, provider).errors) == 9


# ── one press of the button, many times ──────────────────────────────────────────────────────


def race_to_place(app: Flask, place: Callable[..., Order]) -> Outcome[int]:
    product_id = factories.product().id

    def press(_number: int) -> int:
        cart = fill(Cart({product_id: 1}))
        order = place(
            cart, email="a@example.org", user=None, key="one press", shown_total=cart.total
        )
        db.session.commit()
        return order.id

    return together(app, 8, press)


def test_eight_presses_of_one_button_place_one_order(app: Flask) -> None:
    outcome = race_to_place(app, orders.place)
    assert outcome.errors == []
    assert len(set(outcome.results)) == 1
    assert db.session.query(Order).count() == 1


def test_control_without_its_key_the_button_places_eight(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "_by_key", lambda _key: None)
    outcome = race_to_place(app, orders.place)
    assert len(outcome.errors) == 7


# ── letters ──────────────────────────────────────────────────────────────────────────────────


def race_to_send(app: Flask) -> Outcome[int]:
    for number in range(20):
        order = factories.order(factories.product(price=0), email=f"buyer{number}@example.org")
        assert order.status is OrderStatus.PAID
    return together(app, 4, lambda _number: outbox.deliver_due(limit=10))


def test_four_workers_send_each_letter_once(app: Flask, outgoing: Outgoing) -> None:
    outcome = race_to_send(app)
    assert outcome.errors == []
    while outbox.deliver_due():
        pass
    assert len(outgoing.letters) == 20
    assert len({letter.msgId for letter in outgoing.letters}) == 20


def test_control_without_the_lease_letters_go_out_again_and_again(
    app: Flask, outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import select

    trigger = Trigger(4)

    def take_without_claiming(limit: int) -> list[int]:
        with reading():
            ids = list(db.session.scalars(select(OutgoingEmail.id).limit(limit)))
            db.session.rollback()
        trigger.pull()
        return ids

    monkeypatch.setattr(outbox, "_claim", take_without_claiming)
    race_to_send(app)
    assert len(outgoing.letters) > 20
