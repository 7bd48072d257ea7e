"""Every row of the payment's life cycle, judged."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models import PaymentStatus as S
from app.models.payment import PAYMENT_TRANSITIONS
from app.payments.base import Stage
from app.services.judging import GRACE, Look, Standing, judge

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BEFORE, AFTER, LONG_AFTER = (
    NOON - timedelta(minutes=1),
    NOON + timedelta(minutes=1),
    NOON + GRACE + timedelta(minutes=1),
)
SEEN, SETTLED, GONE = Stage.SEEN, Stage.SETTLED, Stage.GONE


def standing(status: S = S.AWAITING, **changes: object) -> Standing:
    facts = {"due": 1000, "required": 995, "required_today": 1200, "expires_at": NOON, **changes}
    return Standing(status=status, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "seen", "at", "becomes"),
    [
        (S.AWAITING, [], BEFORE, S.AWAITING),
        (S.AWAITING, [(400, SEEN)], BEFORE, S.PARTIAL),
        (S.AWAITING, [(400, SETTLED)], BEFORE, S.PARTIAL),
        (S.AWAITING, [(1000, SEEN)], BEFORE, S.SEEN),
        (S.AWAITING, [(995, SEEN)], BEFORE, S.SEEN),
        (S.AWAITING, [(994, SEEN)], BEFORE, S.PARTIAL),
        (S.AWAITING, [(1000, SETTLED)], BEFORE, S.SETTLED),
        (S.AWAITING, [(995, SETTLED)], BEFORE, S.SETTLED),
        (S.AWAITING, [], NOON, S.AWAITING),
        (S.AWAITING, [], AFTER, S.EXPIRED),
        (S.AWAITING, [(1000, SEEN)], AFTER, S.SEEN),
        (S.AWAITING, [(1000, GONE)], BEFORE, S.AWAITING),
        (S.PARTIAL, [(400, SEEN), (600, SEEN)], BEFORE, S.SEEN),
        (S.PARTIAL, [(400, SETTLED), (600, SETTLED)], BEFORE, S.SETTLED),
        (S.PARTIAL, [(400, SETTLED), (600, SEEN)], BEFORE, S.SEEN),
        (S.PARTIAL, [(400, SEEN)], AFTER, S.PARTIAL),
        (S.PARTIAL, [(400, SEEN)], NOON + timedelta(minutes=15), S.PARTIAL),
        (S.PARTIAL, [(400, SEEN)], NOON + timedelta(minutes=15, seconds=1), S.REVIEW),
        (S.PARTIAL, [(400, GONE)], AFTER, S.EXPIRED),
        (S.SEEN, [(1000, SETTLED)], BEFORE, S.SETTLED),
        (S.SEEN, [(995, SETTLED)], BEFORE, S.SETTLED),
        (S.SEEN, [(1000, SEEN)], LONG_AFTER, S.SEEN),
        (S.SEEN, [(995, SEEN)], LONG_AFTER, S.SEEN),
        (S.SEEN, [(1000, GONE)], BEFORE, S.CONFLICTED),
        (S.SETTLED, [(1000, SETTLED)], LONG_AFTER, S.SETTLED),
        (S.SETTLED, [(1000, GONE)], BEFORE, S.CONFLICTED),
        (S.SETTLED, [(1000, SEEN)], BEFORE, S.CONFLICTED),
        (S.SETTLED, [(1000, SETTLED), (300, GONE)], BEFORE, S.SETTLED),
        (S.CONFLICTED, [(1000, GONE)], LONG_AFTER, S.CONFLICTED),
        (S.CONFLICTED, [(1000, SEEN)], LONG_AFTER, S.SEEN),
        (S.CONFLICTED, [(1000, GONE), (1000, SETTLED)], BEFORE, S.SETTLED),
        (S.EXPIRED, [], LONG_AFTER, S.EXPIRED),
        (S.EXPIRED, [(1000, SETTLED)], AFTER, S.REVIEW),
        (S.EXPIRED, [(1200, SEEN)], AFTER, S.SEEN),
        (S.EXPIRED, [(1200, SETTLED)], AFTER, S.SETTLED),
        (S.REVIEW, [(400, SETTLED)], LONG_AFTER, S.REVIEW),
        (S.REVIEW, [(400, SETTLED), (800, SETTLED)], LONG_AFTER, S.SETTLED),
        (S.CANCELLED, [], LONG_AFTER, S.CANCELLED),
        (S.CANCELLED, [(1200, SETTLED)], BEFORE, S.SETTLED),
        (S.CANCELLED, [(1000, SETTLED)], BEFORE, S.REVIEW),
        (S.REFUNDED, [(1000, SETTLED)], BEFORE, S.REFUNDED),
        (S.CLOSED, [(1000, SETTLED)], BEFORE, S.CLOSED),
    ],
)
def test_the_verdict(status: S, seen: list[tuple[int, Stage]], at: datetime, becomes: S) -> None:
    verdict = judge(standing(status), seen, Look(began_at=at))
    assert verdict.status is becomes
    assert becomes is status or becomes in PAYMENT_TRANSITIONS[status]


def test_nothing_expires_on_a_look_that_was_not_complete() -> None:
    look = Look(began_at=LONG_AFTER, complete=False)
    assert judge(standing(), [], look).status is S.AWAITING
    assert judge(standing(S.PARTIAL), [(1, SEEN)], look).status is S.PARTIAL


def test_a_look_that_was_not_complete_is_waited_for_a_day() -> None:
    day = NOON + timedelta(days=1)
    for status, seen, becomes in ((S.AWAITING, [], S.EXPIRED), (S.PARTIAL, [(1, SEEN)], S.REVIEW)):
        just = Look(began_at=day, complete=False)
        beyond = Look(began_at=day + timedelta(seconds=1), complete=False)
        assert judge(standing(status), seen, just).status is status
        assert judge(standing(status), seen, beyond).status is becomes


@pytest.mark.parametrize("stage", [SEEN, SETTLED])
def test_late_money_is_flagged_and_measured_by_todays_price(stage: Stage) -> None:
    verdict = judge(standing(S.EXPIRED), [(1200, stage)], Look(began_at=AFTER))
    assert verdict.is_late
    assert verdict.required == 1200
    accepted = standing(S.SEEN, required=1200, is_late=True)
    assert judge(accepted, [(1200, SETTLED)], Look(began_at=AFTER)).status is S.SETTLED


def test_late_money_that_is_not_enough_keeps_its_quote() -> None:
    verdict = judge(standing(S.EXPIRED), [(1000, SETTLED)], Look(began_at=AFTER))
    assert verdict.is_late
    assert verdict.required == 995


@pytest.mark.parametrize("status", [S.SEEN, S.SETTLED, S.CONFLICTED, S.EXPIRED, S.CLOSED])
def test_what_was_late_stays_late(status: S) -> None:
    was_late = standing(status, required=1200, is_late=True)
    for seen in ([(1200, SETTLED)], [(1200, SEEN)], []):
        assert judge(was_late, seen, Look(began_at=AFTER)).is_late


@pytest.mark.parametrize("status", [S.EXPIRED, S.SETTLED])
@pytest.mark.parametrize(
    ("today", "amount", "over"),
    [(1200, 1212, False), (1200, 1213, True), (500, 1000, False), (500, 1001, True)],
)
def test_late_money_is_too_much_beyond_the_quote_and_todays_price(
    status: S, today: int, amount: int, over: bool
) -> None:
    late = standing(status, required_today=today, required=today, is_late=status is S.SETTLED)
    assert judge(late, [(amount, SETTLED)], Look(began_at=AFTER)).is_overpaid is over


def test_late_money_waits_while_no_rate_can_be_trusted() -> None:
    verdict = judge(
        standing(S.EXPIRED, required_today=None), [(9999, SETTLED)], Look(began_at=AFTER)
    )
    assert verdict.status is S.EXPIRED


@pytest.mark.parametrize(("amount", "over"), [(1000, False), (1005, False), (1006, True)])
def test_too_much_is_flagged_beyond_the_tolerance(amount: int, over: bool) -> None:
    assert judge(standing(), [(amount, SETTLED)], Look(began_at=BEFORE)).is_overpaid is over


stages = st.sampled_from(Stage)
credit_lists = st.lists(st.tuples(st.integers(0, 3000), stages), max_size=5)
moments = st.sampled_from([BEFORE, AFTER, LONG_AFTER])


@given(st.sampled_from(S), credit_lists, moments, st.booleans())
def test_every_verdict_is_a_move_the_life_cycle_knows(
    status: S, seen: list[tuple[int, Stage]], at: datetime, complete: bool
) -> None:
    verdict = judge(standing(status), seen, Look(began_at=at, complete=complete))
    assert verdict.status is status or verdict.status in PAYMENT_TRANSITIONS[status]


@given(st.sampled_from(S), credit_lists, moments)
def test_a_verdict_upheld_by_the_same_facts_stays(
    status: S, seen: list[tuple[int, Stage]], at: datetime
) -> None:
    look = Look(began_at=at)
    first = judge(standing(status), seen, look)
    again = judge(
        standing(first.status, required=first.required, is_late=first.is_late), seen, look
    )
    moved_on = {S.CONFLICTED: {S.SEEN}}  # money that came back in part waits to be settled
    assert again.status is first.status or again.status in moved_on.get(first.status, set())


@given(st.sampled_from(S), credit_lists, moments)
def test_nothing_is_settled_by_less_than_enough_settled_money(
    status: S, seen: list[tuple[int, Stage]], at: datetime
) -> None:
    verdict = judge(standing(status), seen, Look(began_at=at))
    settled = sum(amount for amount, stage in seen if stage is SETTLED)
    if verdict.status is S.SETTLED:
        assert settled >= verdict.required


def test_every_status_has_its_row() -> None:
    assert set(PAYMENT_TRANSITIONS) == set(S)
