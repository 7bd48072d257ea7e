"""What must always be true, asked of the database and the disk, in production too."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, exists, func, or_, select

from app import clock
from app.extensions import db, reading
from app.models import (
    EmailStatus,
    Entitlement,
    EntitlementStatus,
    LineItem,
    Order,
    OrderStatus,
    OutgoingEmail,
    Payment,
    PaymentCredit,
    PaymentStatus,
    ReleaseFile,
)
from app.storage import FileMissing
from app.wiring import wiring

log = logging.getLogger(__name__)

Statement = Select[*tuple[Any, ...]]

MAIL_PATIENCE = timedelta(minutes=15)
AT_MOST = 50  # findings a rule names; one is bad enough

_PAID = (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED)


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    detail: str


def findings() -> list[Finding]:
    """Everything that is not as it must be; an empty list when all is well."""
    with reading():
        found = [
            Finding(rule, ", ".join(str(value) for value in row))
            for rule, statement in _RULES.items()
            for row in db.session.execute(statement().limit(AT_MOST))
        ]
        found += [Finding("what is sold lies in the storage", name) for name in _missing_files()]
        db.session.rollback()
    return found


def report() -> list[Finding]:
    """The findings, each logged as an error."""
    found = findings()
    for finding in found:
        log.error("invariant broken: %s: %s", finding.rule, finding.detail)
    return found


def _missing_files() -> list[str]:
    """Names of files that the database knows and the disk does not."""
    known = db.session.execute(select(ReleaseFile.name, ReleaseFile.sha256).distinct())
    return [name for name, key in known if not _is_stored(key)][:AT_MOST]


def _is_stored(key: str) -> bool:
    try:
        wiring().files.path(key)
    except FileMissing:
        return False
    return True


def _paid_without_payment() -> Statement:
    good = (
        PaymentStatus.SETTLED,
        PaymentStatus.CONFLICTED,
        PaymentStatus.SEEN,
        PaymentStatus.REFUNDED,
    )
    return select(Order.number).where(
        Order.status.in_(_PAID),
        Order.total_minor > 0,
        ~Order.payments.any(Payment.status.in_(good)),
    )


def _paid_without_entitlement() -> Statement:
    return (
        select(Order.number, LineItem.id)
        .join(LineItem.order)
        .where(Order.status.in_(_PAID), ~exists().where(Entitlement.line_item_id == LineItem.id))
    )


def _paid_without_letter() -> Statement:
    letter = exists().where(OutgoingEmail.order_id == Order.id, OutgoingEmail.letter == "download")
    return select(Order.number).where(Order.status.in_(_PAID), ~letter)


def _settled_without_paid_order() -> Statement:
    return (
        select(Order.number, Payment.id)
        .join(Payment.order)
        .where(
            Payment.status == PaymentStatus.SETTLED,
            Order.status.in_((OrderStatus.PENDING, OrderStatus.EXPIRED)),
        )
    )


def _entitled_without_paying() -> Statement:
    return (
        select(Order.number, Entitlement.id)
        .join(Entitlement.order)
        .where(Entitlement.status == EntitlementStatus.ACTIVE, Order.status.not_in(_PAID))
    )


def _entitled_twice() -> Statement:
    return (
        select(Entitlement.line_item_id, func.count())
        .group_by(Entitlement.line_item_id)
        .having(func.count() > 1)
    )


def _output_counted_twice() -> Statement:
    return (
        select(PaymentCredit.provider, PaymentCredit.reference)
        .group_by(PaymentCredit.provider, PaymentCredit.reference)
        .having(func.count() > 1)
    )


def _downloads_above_limit() -> Statement:
    return select(Entitlement.id).where(Entitlement.downloads_used > Entitlement.download_limit)


def _mail_waiting_long() -> Statement:
    waiting = (EmailStatus.QUEUED, EmailStatus.FAILED)
    return select(OutgoingEmail.id, OutgoingEmail.status).where(
        or_(OutgoingEmail.status.in_(waiting), OutgoingEmail.due_at.is_not(None)),
        OutgoingEmail.created_at < clock.now() - MAIL_PATIENCE,
    )


_RULES: dict[str, Callable[[], Statement]] = {
    "a paid order has a payment": _paid_without_payment,
    "a paid order has its entitlements": _paid_without_entitlement,
    "a paid order has its letter": _paid_without_letter,
    "a settled payment has a paid order": _settled_without_paid_order,
    "an active entitlement has a paid order": _entitled_without_paying,
    "an item has one entitlement": _entitled_twice,
    "an output pays once": _output_counted_twice,
    "downloads stay within their limit": _downloads_above_limit,
    "a letter leaves within 15 minutes": _mail_waiting_long,
}
