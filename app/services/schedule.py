"""When a payment is looked at next: often while somebody waits, hourly when its time is over."""

from __future__ import annotations

from datetime import timedelta

from app import clock
from app.models import Payment, PaymentStatus
from app.models.payment import OPEN
from app.payments.base import Stage

SOON = timedelta(seconds=1)
HOT = timedelta(seconds=5)  # its page is open
WARM = timedelta(seconds=30)  # young
COOL = timedelta(seconds=180)
COLD = timedelta(hours=1)  # long past its time
OPEN_LATELY = timedelta(minutes=2)
YOUNG = timedelta(minutes=15)
AFTER_FAILURE = timedelta(seconds=15)
LEASE = timedelta(minutes=2)  # longer than a batch at a slow explorer; after a kill, the wait
DEEP = 6  # confirmations after which a reorganisation is no longer watched for


def plan(payment: Payment, *, just_changed: bool = False) -> None:
    """Say when this payment is to be looked at next; never, once its watch is over."""
    now = clock.now()
    if payment.watch_until <= now and not _may_still_move(payment):
        payment.next_check_at = None
        payment.claim = None
        return
    wait = HOT if just_changed else _wait(payment)
    if payment.status in OPEN and payment.expires_at > now:
        wait = min(wait, payment.expires_at + SOON - now)  # so that it expires on time
    payment.next_check_at = now + wait


def _wait(payment: Payment) -> timedelta:
    now = clock.now()
    if payment.status in OPEN:
        if payment.status is not PaymentStatus.SEEN and now >= payment.expires_at + YOUNG:
            return COOL
        if payment.viewed_at is not None and now - payment.viewed_at < OPEN_LATELY:
            return HOT
        return WARM if now - payment.created_at < YOUNG else COOL
    just_over = payment.expires_at <= now < payment.expires_at + YOUNG  # explorers lag, too
    return COOL if just_over or _may_still_move(payment) else COLD


def _may_still_move(payment: Payment) -> bool:
    """Whether its money is still to be judged, or a reorganisation could take it away."""
    if payment.status is PaymentStatus.SETTLED:
        standing = [credit for credit in payment.credits if credit.stage is not Stage.GONE]
        return any(credit.confirmations < DEEP for credit in standing)
    if payment.status in {PaymentStatus.EXPIRED, PaymentStatus.CANCELLED}:
        return bool(payment.received)  # late money that waits for a rate
    return payment.status in OPEN or payment.status is PaymentStatus.CONFLICTED
