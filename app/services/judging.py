"""The verdict over a payment: one pure function of what the store knows and what was seen.

Providers say what each credit is worth; whether that is enough, in time and still true is decided
here, alike for every rail. The table is in ARCHITECTURE's life cycle of a payment, kept in
docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.models import PaymentStatus
from app.payments.base import Stage

GRACE = timedelta(minutes=15)  # after expiry, for the rest of a payment that has begun
PATIENCE = timedelta(days=1)  # after expiry, for a look that is complete

_S = PaymentStatus
_UNPAID = frozenset({_S.AWAITING, _S.PARTIAL})
_RELIED_ON = frozenset({_S.SEEN, _S.SETTLED, _S.CONFLICTED})
_AFTER_TIME = frozenset({_S.EXPIRED, _S.REVIEW, _S.CANCELLED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What the store knows about a payment. Amounts in minor units of the payment's currency."""

    status: PaymentStatus
    due: int
    required: int  # what is enough: due less the tolerance
    required_today: int | None  # the same at today's rate; None when no rate can be trusted
    expires_at: datetime
    is_late: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """The latest look that succeeded."""

    began_at: datetime
    complete: bool = True  # whether it would have seen all there was


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    status: PaymentStatus
    required: int
    is_late: bool
    is_overpaid: bool
    why: str


def judge(standing: Standing, seen: Iterable[tuple[int, Stage]], look: Look) -> Verdict:
    """What the payment is, given every credit ever seen for it as (amount, stage)."""
    seen = list(seen)
    live = sum(amount for amount, stage in seen if stage is not Stage.GONE)
    settled = sum(amount for amount, stage in seen if stage is Stage.SETTLED)
    if standing.status in _UNPAID:
        status, required, late, why = _unpaid(standing, live, settled, look)
    elif standing.status in _RELIED_ON:
        status, required, late, why = _relied_on(standing, live, settled)
    elif standing.status in _AFTER_TIME:
        status, required, late, why = _after_time(standing, live, settled)
    else:
        status, required, late, why = (
            standing.status,
            standing.required,
            standing.is_late,
            "a person decided",
        )
    return Verdict(
        status=status,
        required=required,
        is_late=late,
        is_overpaid=live > _most(standing.due, required, late=late),
        why=why,
    )


def _most(due: int, required: int, *, late: bool) -> int:
    """What is not yet too much: the tolerance goes both ways; today's price may be the higher."""
    return max(due, required + required // 100) if late else due + (due - required)


_Outcome = tuple[PaymentStatus, int, bool, str]


def _unpaid(standing: Standing, live: int, settled: int, look: Look) -> _Outcome:
    """Awaiting or partial: nothing expires before a complete look that began after the deadline.

    A buyer can keep looks from being complete (by dust, by a huge transaction), so it is waited
    for a day only: no price is held longer.
    """
    keep = (standing.required, standing.is_late)
    may_end = look.complete or look.began_at > standing.expires_at + PATIENCE
    if settled >= standing.required:
        return _S.SETTLED, *keep, "paid in full"
    if live >= standing.required:
        return _S.SEEN, *keep, "paid in full, waiting to be relied on"
    if live:
        if may_end and look.began_at > standing.expires_at + GRACE:
            return _S.REVIEW, *keep, "underpaid when the time was over"
        return _S.PARTIAL, *keep, "part of the amount has arrived"
    if may_end and look.began_at > standing.expires_at:
        return _S.EXPIRED, *keep, "nothing had arrived when the time was over"
    return _S.AWAITING, *keep, "nothing has arrived yet"


def _relied_on(standing: Standing, live: int, settled: int) -> _Outcome:
    """Seen, settled or conflicted: the money must still be there, worth what it was worth."""
    keep = (standing.required, standing.is_late)
    if live < standing.required:
        return _S.CONFLICTED, *keep, "money that counted is gone"
    if settled >= standing.required:
        return _S.SETTLED, *keep, "paid in full"
    if standing.status is _S.SETTLED:
        return _S.CONFLICTED, *keep, "money that was settled no longer is"
    return _S.SEEN, *keep, "paid in full, waiting to be relied on"


def _after_time(standing: Standing, live: int, settled: int) -> _Outcome:
    """Expired, in review or cancelled: late money counts if it covers today's price, else waits."""
    keep = (standing.required, standing.is_late)
    if not live:
        return standing.status, *keep, "nothing has arrived"
    if standing.required_today is None:
        return standing.status, *keep, "late money waits for a rate"
    if settled >= standing.required_today:
        return _S.SETTLED, standing.required_today, True, "late, but it covers today's price"
    if live >= standing.required_today:
        return _S.SEEN, standing.required_today, True, "late, but it covers today's price"
    return _S.REVIEW, standing.required, True, "late, and less than today's price"
