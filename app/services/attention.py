"""Telling people what needs them: the buyer that money is missing, the owner that money is odd."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import Payment, User
from app.services import outbox

PATIENCE = timedelta(minutes=3)  # a payment in several transactions is often complete by then


def underpaid(payment: Payment) -> None:
    """Tell buyer and owner, once for each payment, unless the rest comes soon."""
    if payment.told_underpaid_at is not None:
        return
    payment.told_underpaid_at = clock.now()
    outbox.queue(
        "underpaid",
        to=payment.order.email,
        key=_underpaid_key(payment),
        order=payment.order,
        facts={"payment_id": payment.id},
        after=PATIENCE,
    )
    tell_owner(payment, why="underpaid", after=PATIENCE)


def underpaid_no_more(payment: Payment) -> None:
    """Take the letters back that have not gone yet."""
    payment.told_underpaid_at = None
    outbox.withdraw(_underpaid_key(payment))
    for owner in _owners():
        outbox.withdraw(_owner_key(payment, owner, "underpaid"))


def tell_owner(payment: Payment, *, why: str, after: timedelta = timedelta(0)) -> None:
    """Tell every admin once about this payment and this reason."""
    for owner in _owners():
        outbox.queue(
            "owner_attention",
            to=owner,
            key=_owner_key(payment, owner, why),
            order=payment.order,
            facts={"payment_id": payment.id, "why": why},
            after=after,
        )


def _underpaid_key(payment: Payment) -> str:
    return f"underpaid-{payment.id}"


def _owner_key(payment: Payment, owner: str, why: str) -> str:
    return f"owner-{payment.id}-{why}-{owner}"


def _owners() -> list[str]:
    return list(db.session.scalars(select(User.email).where(User.is_admin)))
