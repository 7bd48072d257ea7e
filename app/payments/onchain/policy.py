"""When the store relies on a transaction: the more is at stake, the deeper it must lie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.money import Money
from app.payments.base import Stage
from app.payments.onchain.spv.transaction import Transaction

DEEP = 6
COINBASE_DEEP = 100
QUIET = timedelta(seconds=10)  # a conflicting spend shows itself within this time
CLOCKS_DIFFER = timedelta(hours=2)  # a block's time may be that far off
VERSION = 1  # a third party may alter the id of later versions while unconfirmed


@dataclass(frozen=True, slots=True)
class Limits:
    """Up to which price of the order how little is enough."""

    unconfirmed: Money
    one_confirmation: Money


@dataclass(frozen=True, slots=True)
class Verdict:
    stage: Stage
    reason: str


def judge_depth(
    *,
    total: Money,
    limits: Limits,
    confirmations: int,
    transaction: Transaction,
    first_seen_at: datetime,
    now: datetime,
    tip: int | None = None,
) -> Verdict:
    """How far the store relies on a transaction the explorer knows, and why."""
    needed = confirmations_needed(total, limits, coinbase=transaction.is_coinbase)
    if confirmations >= max(needed, 1):
        return Verdict(Stage.SETTLED, f"{confirmations} confirmations")
    if needed > 0:
        return Verdict(Stage.SEEN, f"{confirmations} of {needed} confirmations")
    doubt = _doubt(transaction, first_seen_at, now, tip)
    if doubt:
        return Verdict(Stage.SEEN, doubt)
    return Verdict(Stage.SETTLED, "unconfirmed, within the limit")


def confirmations_needed(total: Money, limits: Limits, *, coinbase: bool = False) -> int:
    """How many confirmations an order of this total waits for."""
    if coinbase:
        return COINBASE_DEEP
    if total <= limits.unconfirmed:
        return 0
    return 1 if total <= limits.one_confirmation else DEEP


def is_older_than_payment(block_time: datetime | None, created_at: datetime) -> bool:
    """Whether it was mined before the payment existed, so that it cannot be meant for it."""
    return block_time is not None and block_time < created_at - CLOCKS_DIFFER


def _doubt(
    transaction: Transaction, first_seen_at: datetime, now: datetime, tip: int | None
) -> str | None:
    """Why an unconfirmed transaction is not relied on yet."""
    if transaction.version != VERSION:
        return f"version {transaction.version} waits for a confirmation"
    if not transaction.is_final_at(tip, int((now - CLOCKS_DIFFER).timestamp())):
        return "its lock time waits for a confirmation"
    if now - first_seen_at < QUIET:
        return "just seen"
    return None
