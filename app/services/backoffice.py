"""What the people who run the store look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import selectinload

from app.extensions import db
from app.models import (
    EmailStatus,
    LineItem,
    Order,
    OutgoingEmail,
    Payment,
    PaymentStatus,
)
from app.services import invariants
from app.services.invariants import Finding

PER_PAGE = 25
AT_MOST = 100  # things that need attention, shown at once
ACCEPTABLE = frozenset({PaymentStatus.REVIEW, PaymentStatus.EXPIRED, PaymentStatus.CANCELLED})


class NoSuchPage(Exception):
    """No order, no payment or no page of the list has this name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One page of a list, newest first."""

    orders: Sequence[Order]
    number: int
    pages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """What waits for a person."""

    payments: Sequence[Payment]
    paid_twice: Sequence[Order]
    letters: Sequence[OutgoingEmail]
    findings: Sequence[Finding]

    def __bool__(self) -> bool:
        return bool(self.payments or self.paid_twice or self.letters or self.findings)


def attention() -> Attention:
    """Everything that waits for a person, newest first."""
    findings = invariants.findings()
    odd = (PaymentStatus.REVIEW, PaymentStatus.CONFLICTED)
    payments = (
        select(Payment)
        .where(or_(Payment.status.in_(odd), Payment.is_overpaid))
        .order_by(Payment.id.desc())
        .limit(AT_MOST)
        .options(selectinload(Payment.order), selectinload(Payment.credits))
    )
    paid_twice = select(Order).where(Order.paid_twice).order_by(Order.id.desc()).limit(AT_MOST)
    letters = (
        select(OutgoingEmail)
        .where(OutgoingEmail.status == EmailStatus.GIVEN_UP)
        .order_by(OutgoingEmail.id.desc())
        .limit(AT_MOST)
        .options(selectinload(OutgoingEmail.order))
    )
    return Attention(
        payments=db.session.scalars(payments).all(),
        paid_twice=db.session.scalars(paid_twice).all(),
        letters=db.session.scalars(letters).all(),
        findings=findings,
    )


def latest_orders(page: int) -> Page:
    """The orders of one page of the list, newest first; NoSuchPage beyond the last."""
    count = db.session.scalar(select(func.count()).select_from(Order)) or 0
    pages = max(-(-count // PER_PAGE), 1)
    if not 1 <= page <= pages:
        raise NoSuchPage
    orders = select(Order).order_by(Order.id.desc()).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    return Page(orders=db.session.scalars(orders).all(), number=page, pages=pages)


def order(number: str) -> Order:
    """One order with all that belongs to it; NoSuchPage."""
    found = db.session.scalar(
        select(Order)
        .where(Order.number == number)
        .options(
            selectinload(Order.items).selectinload(LineItem.entitlement),
            selectinload(Order.payments).selectinload(Payment.credits),
            selectinload(Order.events),
        )
    )
    if found is None:
        raise NoSuchPage(number)
    return found


def letters(order: Order) -> Sequence[OutgoingEmail]:
    """The letters about an order, in the order they were written."""
    return db.session.scalars(
        select(OutgoingEmail).where(OutgoingEmail.order_id == order.id).order_by(OutgoingEmail.id)
    ).all()


def acceptable(order: Order, payment_id: int) -> Payment:
    """A payment of this order that a person may take as settled; NoSuchPage."""
    for payment in order.payments:
        if payment.id == payment_id and payment.status in ACCEPTABLE:
            return payment
    raise NoSuchPage(payment_id)
