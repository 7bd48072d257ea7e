from datetime import UTC, datetime, timedelta

import pytest

from app.money import usd
from app.payments.base import Stage
from app.payments.onchain.policy import (
    Limits,
    confirmations_needed,
    is_older_than_payment,
    judge_depth,
)
from app.payments.onchain.spv.transaction import parse
from tests.fakes.transactions import build, coinbase, p2pkh

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LIMITS = Limits(usd(2000), usd(20000))
PLAIN = build([(1, p2pkh())])
SETTLED, SEEN = Stage.SETTLED, Stage.SEEN


def stage(
    total: int = 1900, *, deep: int = 0, raw: bytes = PLAIN, age: float = 10, tip: int | None = None
) -> Stage:
    return judge_depth(
        total=usd(total),
        limits=LIMITS,
        confirmations=deep,
        transaction=parse(raw),
        first_seen_at=NOW - timedelta(seconds=age),
        now=NOW,
        tip=tip,
    ).stage


@pytest.mark.parametrize(
    ("total", "deep", "expected"),
    [
        (2000, 0, SETTLED),
        (2001, 0, SEEN),
        (2001, 1, SETTLED),
        (20000, 1, SETTLED),
        (20001, 1, SEEN),
        (20001, 5, SEEN),
        (20001, 6, SETTLED),
        (2000, 1, SETTLED),
    ],
)
def test_the_more_is_at_stake_the_deeper_it_must_lie(
    total: int, deep: int, expected: Stage
) -> None:
    assert stage(total, deep=deep) is expected


@pytest.mark.parametrize(("age", "expected"), [(0, SEEN), (9.9, SEEN), (10, SETTLED)])
def test_an_unconfirmed_transaction_rests_ten_seconds(age: float, expected: Stage) -> None:
    assert stage(age=age) is expected


def test_an_id_that_others_can_alter_waits_for_a_confirmation() -> None:
    for version in (0, 2, 10):
        raw = build([(1, p2pkh())], version=version)
        assert stage(raw=raw) is SEEN
        assert stage(raw=raw, deep=1) is SETTLED


def test_a_lock_time_ahead_waits_for_a_confirmation() -> None:
    raw = build([(1, p2pkh())], lock_time=1000, sequence=0)
    assert stage(raw=raw) is SEEN
    assert stage(raw=raw, tip=999) is SEEN
    assert stage(raw=raw, tip=1000) is SETTLED
    assert stage(raw=raw, deep=1) is SETTLED


def test_new_coins_wait_for_a_hundred_confirmations() -> None:
    raw = coinbase([(1, p2pkh())])
    assert [stage(raw=raw, deep=deep) for deep in (0, 6, 99, 100)] == [SEEN, SEEN, SEEN, SETTLED]


def test_the_reason_says_how_many_are_missing() -> None:
    verdict = judge_depth(
        total=usd(20001),
        limits=LIMITS,
        confirmations=2,
        transaction=parse(PLAIN),
        first_seen_at=NOW,
        now=NOW,
    )
    assert verdict.reason == "2 of 6 confirmations"


def test_limits_of_nothing_accept_nothing_unconfirmed() -> None:
    assert confirmations_needed(usd(1), Limits(usd(0), usd(0))) == 6


@pytest.mark.parametrize(
    ("before", "older"),
    [(timedelta(0), False), (timedelta(hours=2), False), (timedelta(hours=2, seconds=1), True)],
)
def test_a_block_more_than_two_hours_before_the_payment_is_not_for_it(
    before: timedelta, older: bool
) -> None:
    assert is_older_than_payment(NOW - before, NOW) is older
    assert not is_older_than_payment(None, NOW)
