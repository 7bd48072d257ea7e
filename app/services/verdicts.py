"""What follows from an observation: credits written down, the payment judged anew, all or nothing.

The order is locked before its payment, always; what follows from a verdict commits with it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.checkpoints import checkpoint
from app.extensions import db, reading
from app.models import (
    Order,
    OrderStatus,
    Payment,
    PaymentCredit,
    PaymentStatus,
)
from app.models.lifecycle import note
from app.models.payment import OPEN
from app.payments.base import (
    Credit,
    Observation,
    RateUnavailable,
    Stage,
)
from app.services import attention, fulfilment, orders, schedule
from app.services.judging import Look, Standing, Verdict, judge
from app.services.openings import tolerance
from app.wiring import wiring

log = logging.getLogger(__name__)


def record(observation: Observation) -> Payment:
    """Write an observation down, judge the payment anew and do what follows, all or nothing.

    Commits. The order is locked before its payment, always.
    """
    today = _required_today(observation)
    payment = _lock(observation.payment_id)
    changed = _merge(payment, observation)
    db.session.flush()
    checkpoint("payment-stored")
    verdict = judge(
        Standing(
            status=payment.status,
            due=payment.due_minor,
            required=payment.required_minor,
            required_today=today,
            expires_at=payment.expires_at,
            is_late=payment.is_late,
        ),
        [(credit.amount_minor, credit.stage) for credit in payment.credits],
        Look(began_at=observation.checked_at, complete=observation.complete),
    )
    _apply(payment, verdict)
    if observation.complete:
        payment.checked_at = observation.checked_at
    schedule.plan(payment, just_changed=changed)
    checkpoint("before-commit")
    db.session.commit()
    checkpoint("after-commit")
    return payment


def _required_today(observation: Observation) -> int | None:
    """What would be enough at today's rate: for late money only, before anything is locked."""
    if not observation.credits:
        return None
    with reading():
        payment = db.session.get_one(Payment, observation.payment_id)
        late = payment.status not in OPEN and payment.status is not PaymentStatus.SETTLED
        provider, total = wiring().providers.get(payment.provider), payment.total
        db.session.rollback()
    if not late or provider is None:
        return None
    try:
        quote = provider.quote(total, now=clock.now())
    except RateUnavailable:
        return None
    return (quote.due - tolerance(quote.due, quote)).minor


def _lock(payment_id: int) -> Payment:
    db.session.rollback()  # what was read before the lock may be old
    order_id = db.session.scalars(select(Payment.order_id).where(Payment.id == payment_id)).one()
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    return db.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)


def _merge(payment: Payment, observation: Observation) -> bool:
    """Add new credits and bring known ones up to date; say whether anything changed."""
    known = {credit.reference: credit for credit in payment.credits}
    changed = False
    for credit in observation.credits:
        if credit.amount.currency is not payment.due_currency:
            log.error(
                "a credit in %s for payment %s is not counted", credit.amount.currency, payment.id
            )
        elif (row := known.get(credit.reference)) is None:
            changed |= _add(payment, credit)
        elif row.changed_at <= observation.checked_at:  # else what is known is the newer news
            changed |= _bring_up_to_date(payment, row, credit)
    explained = set(observation.explained)
    for posted in [posted for posted in payment.proofs if posted.proof in explained]:
        payment.proofs.remove(posted)
    return changed


def _add(payment: Payment, credit: Credit) -> bool:
    """Count a new credit, unless it counts for another payment already."""
    now = clock.now()
    elsewhere = select(PaymentCredit.payment_id).where(
        PaymentCredit.provider == payment.provider, PaymentCredit.reference == credit.reference
    )
    if db.session.scalar(elsewhere) is not None:
        return False
    new = PaymentCredit(
        payment_id=payment.id,
        provider=payment.provider,
        reference=credit.reference,
        amount_minor=credit.amount.minor,
        currency=credit.amount.currency,
        stage=credit.stage,
        confirmations=credit.confirmations,
        evidence=_standing_facts({}, credit.evidence),
        first_seen_at=now,
        changed_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(new)
    except IntegrityError:  # it was counted for another payment in this very moment
        return False
    db.session.refresh(payment, ["credits"])
    note(
        payment.order, payment, now=credit.stage, why=f"{credit.amount} arrived: {credit.reference}"
    )
    return True


def _bring_up_to_date(payment: Payment, row: PaymentCredit, credit: Credit) -> bool:
    moved = row.stage is not credit.stage
    if moved:
        note(
            payment.order,
            payment,
            was=row.stage,
            now=credit.stage,
            why=f"{row.amount}: {row.reference}",
        )
    if not moved and row.confirmations == credit.confirmations and not credit.evidence:
        return False
    row.stage = credit.stage
    row.confirmations = credit.confirmations
    row.evidence = _standing_facts(row.evidence, credit.evidence)
    row.changed_at = clock.now()
    return moved


def _standing_facts(before: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """What is known of a credit, with what was told last; an empty fact is taken back."""
    return {name: fact for name, fact in {**before, **told}.items() if fact}


def _apply(payment: Payment, verdict: Verdict) -> None:
    """Turn a verdict into what the store does about it."""
    if verdict.is_overpaid and not payment.is_overpaid:
        note(payment.order, payment, why="more arrived than was due")
    payment.is_overpaid = verdict.is_overpaid
    payment.is_late = verdict.is_late
    payment.required_minor = verdict.required
    if verdict.status is payment.status:
        return
    was = payment.status
    payment.move_to(verdict.status, why=verdict.why)
    db.session.flush()
    checkpoint("status-changed")
    if was is PaymentStatus.PARTIAL:
        attention.underpaid_no_more(payment)
    if verdict.status in _CONSEQUENCES:
        _CONSEQUENCES[verdict.status](payment, verdict.why)


def _settled(payment: Payment, why: str) -> None:
    order = payment.order
    payment.settled_at = clock.now()
    others = [p for p in order.payments if p.id != payment.id]
    if order.status in {OrderStatus.PENDING, OrderStatus.EXPIRED}:
        orders.pay(order, why=f"{why} through {payment.provider}")
    elif order.is_paid and not any(p.status is PaymentStatus.SETTLED for p in others):
        fulfilment.restore(order, why="the money is back")
    else:
        order.paid_twice = order.paid_twice or order.is_paid
        attention.tell_owner(payment, why="money arrived for an order that needs none")
    for other in others:
        if other.status in {PaymentStatus.AWAITING, PaymentStatus.PARTIAL}:
            attention.underpaid_no_more(other)
            other.move_to(PaymentStatus.CANCELLED, why="another payment settled the order")
            schedule.plan(other)


def _conflicted(payment: Payment, why: str) -> None:
    order = payment.order
    if not any(p.status is PaymentStatus.SETTLED for p in order.payments):
        fulfilment.suspend(order, why=why)
    attention.tell_owner(payment, why=why)


def _partial(payment: Payment, _why: str) -> None:
    attention.underpaid(payment)


def _review(payment: Payment, why: str) -> None:
    attention.tell_owner(payment, why=why)
    orders.expire_if_abandoned(payment.order)


def _expired(payment: Payment, _why: str) -> None:
    orders.expire_if_abandoned(payment.order)


_CONSEQUENCES = {
    PaymentStatus.SETTLED: _settled,
    PaymentStatus.CONFLICTED: _conflicted,
    PaymentStatus.PARTIAL: _partial,
    PaymentStatus.REVIEW: _review,
    PaymentStatus.EXPIRED: _expired,
}


def accept(payment_id: int, *, who: str, why: str) -> Payment:
    """Take what arrived for a payment in review, expired or cancelled as enough. Commits.

    Money that is only seen still has to settle.
    """
    payment = _lock(payment_id)
    payment.required_minor = payment.received.minor
    waits = any(credit.stage is Stage.SEEN for credit in payment.credits)
    status = PaymentStatus.SEEN if waits else PaymentStatus.SETTLED
    payment.move_to(status, why=why, who=who)
    db.session.flush()
    if not waits:
        _settled(payment, why)
    schedule.plan(payment)
    db.session.commit()
    return payment
