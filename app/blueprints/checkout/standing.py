"""Where an order stands, as its page tells it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from app import clock
from app.models import EntitlementStatus, Order, OrderStatus, Payment, PaymentStatus
from app.models.payment import OPEN
from app.payments.base import Stage


class State(StrEnum):
    """What the page is about; each has its words in templates/checkout/states/."""

    UNPAID = "unpaid"  # no payment was opened yet
    AWAITING = "awaiting"
    PARTIAL = "partial"
    SEEN = "seen"
    EXPIRED = "expired"
    REVIEW = "review"
    CONFLICTED = "conflicted"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


BEING_PAID = frozenset({State.AWAITING, State.PARTIAL, State.SEEN})
FINAL = frozenset({State.PAID, State.CANCELLED, State.REFUNDED})

_BY_ORDER = {OrderStatus.CANCELLED: State.CANCELLED, OrderStatus.REFUNDED: State.REFUNDED}
_BY_PAYMENT = {
    PaymentStatus.AWAITING: State.AWAITING,
    PaymentStatus.PARTIAL: State.PARTIAL,
    PaymentStatus.SEEN: State.SEEN,
    PaymentStatus.SETTLED: State.PAID,
    PaymentStatus.CONFLICTED: State.CONFLICTED,
    PaymentStatus.REVIEW: State.REVIEW,
    PaymentStatus.EXPIRED: State.EXPIRED,
    PaymentStatus.CANCELLED: State.EXPIRED,
}
_MOST_TELLING = (  # of several payments, the page speaks of the first kind there is
    PaymentStatus.SETTLED,
    PaymentStatus.SEEN,
    PaymentStatus.PARTIAL,
    PaymentStatus.AWAITING,
    PaymentStatus.CONFLICTED,
    PaymentStatus.REVIEW,
    PaymentStatus.EXPIRED,
    PaymentStatus.CANCELLED,
)
_TIME_IS_OVER = {State.AWAITING: State.EXPIRED, State.PARTIAL: State.REVIEW}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    state: State
    payment: Payment | None  # the one the page speaks of
    version: str  # changes whenever the page would read differently

    @property
    def is_being_paid(self) -> bool:
        """Whether somebody may be waiting in front of the page."""
        return self.state in BEING_PAID

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in FINAL


def of(order: Order) -> Standing:
    """Where this order stands now."""
    payment = _telling(order)
    state = _state(order, payment)
    return Standing(state=state, payment=payment, version=_version(order, state))


def _telling(order: Order) -> Payment | None:
    """The newest of the most telling payments."""
    for status in _MOST_TELLING:
        if alike := [payment for payment in order.payments if payment.status is status]:
            return alike[-1]
    return None


def _state(order: Order, payment: Payment | None) -> State:
    if order.status in _BY_ORDER:
        return _BY_ORDER[order.status]
    if order.is_paid:
        closed = [e.status is EntitlementStatus.SUSPENDED for e in order.entitlements]
        return State.CONFLICTED if closed and all(closed) else State.PAID
    if payment is None:
        return State.UNPAID if order.status is OrderStatus.PENDING else State.EXPIRED
    state = _BY_PAYMENT.get(payment.status, State.REVIEW)
    return _TIME_IS_OVER.get(state, state) if payment.expires_at <= clock.now() else state


def _version(order: Order, state: State) -> str:
    facts: list[object] = [state, order.status, order.paid_twice]
    for payment in order.payments:
        facts += [payment.id, payment.status, payment.is_late, payment.is_overpaid]
        facts += [len(payment.proofs) if payment.status in OPEN else 0]
        facts += [
            (c.id, c.stage, c.confirmations, c.evidence.get("reason")) for c in payment.credits
        ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def transaction_ids(payment: Payment) -> list[str]:
    """The outside names of the money that counts, each once."""
    standing = [credit for credit in payment.credits if credit.stage is not Stage.GONE]
    return list(dict.fromkeys(credit.reference.partition(":")[0] for credit in standing))
