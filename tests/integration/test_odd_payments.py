"""Purchases that go another way than anybody planned."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from flask import Flask
from flask_mail import Message
from sqlalchemy import update

from app import clock, create_app
from app.extensions import db, reading
from app.mail.send import MailRefused
from app.models import (
    EmailStatus,
    EntitlementStatus,
    Order,
    OrderStatus,
    OutgoingEmail,
    Payment,
    PaymentCredit,
    PaymentStatus,
)
from app.payments.base import (
    Credit,
    Observation,
    OpenPayment,
    PaymentIntent,
    PaymentRequest,
    Stage,
)
from app.services import invariants, openings, orders, outbox, payments, upkeep, verdicts
from config import Config
from tests import conftest, factories
from tests.fakes.outgoing import Outgoing
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.usefixtures("app")

WEEK = timedelta(days=7)


@pytest.fixture
def card() -> FakeProvider:
    """A second way to pay."""
    return FakeProvider("card")


@pytest.fixture
def app(
    environment: dict[str, str], provider: FakeProvider, card: FakeProvider, outgoing: Outgoing
) -> Iterator[Flask]:
    app = create_app(Config.from_env(environment), providers=[provider, card], mailer=outgoing)
    with app.app_context():
        yield app
        db.session.remove()
        conftest.empty()
        db.engine.dispose()


@pytest.fixture(autouse=True)
def nothing_is_broken(app: Flask) -> Iterator[None]:
    yield
    db.session.rollback()
    assert invariants.findings() == []


@pytest.fixture
def payment() -> Payment:
    return openings.open_payment(factories.order().id, "fake")


def look(payment: Payment) -> Payment:
    payments.refresh([payment.id])
    return db.session.get_one(Payment, payment.id, populate_existing=True)


def letters(name: str) -> list[OutgoingEmail]:
    return db.session.query(OutgoingEmail).filter_by(letter=name).all()


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


# ── old news ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("older", [Stage.SEEN, Stage.GONE])
def test_news_that_is_overtaken_on_its_way_takes_nothing_back(
    payment: Payment, older: Stage
) -> None:
    def tell(stage: Stage, began_at: datetime) -> Payment:
        credit = Credit(reference="t:0", amount=payment.due, stage=stage, evidence={"a": "b"})
        return verdicts.record(
            Observation(payment_id=payment.id, credits=[credit], checked_at=began_at)
        )

    began = clock.now()
    with at(began + timedelta(seconds=8)) as travel:
        assert tell(Stage.SEEN, clock.now()).status is PaymentStatus.SEEN
        travel.shift(timedelta(seconds=4))
        assert tell(Stage.SETTLED, clock.now()).status is PaymentStatus.SETTLED
        travel.shift(timedelta(seconds=4))
        assert tell(older, began + timedelta(seconds=9)).status is PaymentStatus.SETTLED
        travel.shift(timedelta(seconds=4))
        assert tell(Stage.GONE, clock.now()).status is PaymentStatus.CONFLICTED


# ── one address for all ──────────────────────────────────────────────────────────────────────


class OneAddress(FakeProvider):
    """Tells payments apart by their amounts, as a single configured address must."""

    before_answering: Callable[[], object] | None = None

    def open(self, intent: PaymentIntent) -> PaymentRequest:
        due = intent.quote.due
        while due.minor in intent.taken:
            due = replace(due, minor=due.minor + 1)
        if self.before_answering is not None:
            act, self.before_answering = self.before_answering, None
            act()
        return PaymentRequest(reference=f"address:{due.minor}", due=due)


class TestOneAddress:
    @pytest.fixture
    def provider(self) -> OneAddress:
        return OneAddress()

    def test_two_who_open_at_once_owe_different_amounts(self, provider: OneAddress) -> None:
        product = factories.product()
        mine, other = factories.order(product).id, factories.order(product).id
        opened = []
        provider.before_answering = lambda: opened.append(
            openings.open_payment(other, "fake").due_minor
        )
        assert openings.open_payment(mine, "fake").due_minor != opened[0]

    def test_an_amount_stays_taken_while_late_money_may_come(self, provider: OneAddress) -> None:
        product = factories.product()
        first = openings.open_payment(factories.order(product).id, "fake")
        with at(first.expires_at + timedelta(seconds=1)) as travel:
            assert look(first).status is PaymentStatus.EXPIRED
            second = openings.open_payment(factories.order(product).id, "fake")
            assert second.due != first.due
            travel.move_to(first.watch_until + timedelta(seconds=1))
            look(first)
            third = openings.open_payment(factories.order(product).id, "fake")
            assert third.due == first.due

    def test_an_amount_a_person_closed_is_not_given_to_the_next_at_once(
        self, provider: OneAddress
    ) -> None:
        product = factories.product()
        first = openings.open_payment(factories.order(product).id, "fake")
        provider.receive(first.reference, first.due_minor)
        look(first)
        first.move_to(PaymentStatus.REFUNDED, why="a mistake", who="admin")
        first.order.move_to(OrderStatus.REFUNDED, why="a mistake", who="admin")
        for entitlement in first.order.entitlements:
            entitlement.move_to(EntitlementStatus.REVOKED, why="a mistake", who="admin")
        db.session.commit()
        look(first)
        second = openings.open_payment(factories.order(product).id, "fake")
        assert second.due != first.due
        with at(first.watch_until + timedelta(seconds=1)):
            look(first)
            assert first.claim is None
            assert first.next_check_at is None


# ── trouble with one payment is not another's ────────────────────────────────────────────────


class Stumbling(FakeProvider):
    """Breaks off in a way nobody foresaw when it meets one of these."""

    stumbles_over: frozenset[int] = frozenset()

    def check(self, payments: Sequence[OpenPayment]) -> Iterator[Observation]:
        for seen in super().check(payments):
            if seen.payment_id in self.stumbles_over:
                raise KeyError("address")
            yield seen


class TestTrouble:
    @pytest.fixture
    def provider(self) -> Stumbling:
        return Stumbling()

    @pytest.fixture
    def paid(self, provider: Stumbling) -> list[Payment]:
        opened = [openings.open_payment(factories.order().id, "fake") for _ in range(5)]
        for payment in opened:
            provider.receive(payment.reference, payment.due_minor)
        return opened

    @pytest.fixture
    def by_card(self, card: FakeProvider) -> Payment:
        payment = openings.open_payment(factories.order().id, "card")
        card.receive(payment.reference, payment.due_minor)
        return payment

    def test_one_that_cannot_be_looked_at_leaves_the_others_alone(
        self, provider: Stumbling, paid: list[Payment], by_card: Payment
    ) -> None:
        provider.stumbles_over = frozenset({paid[0].id, paid[3].id})
        with at(clock.now() + timedelta(seconds=6)):
            assert payments.check_due() == 4
        unseen = [payment for payment in paid if payment.status is PaymentStatus.AWAITING]
        assert unseen == [paid[0], paid[3]]
        assert by_card.status is PaymentStatus.SETTLED

    def test_one_that_cannot_be_recorded_leaves_the_others_alone(
        self, paid: list[Payment], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = paid[0].id
        recording = verdicts._merge

        def merge(payment: Payment, observation: Observation) -> bool:
            if payment.id == broken:
                raise ArithmeticError
            return recording(payment, observation)

        monkeypatch.setattr(verdicts, "_merge", merge)
        with at(clock.now() + timedelta(seconds=6)) as travel:
            assert payments.check_due() == 4
            assert [p.status.value for p in paid] == ["awaiting", *["settled"] * 4]
            monkeypatch.undo()
            travel.shift(timedelta(seconds=16))
            payments.check_due()
        assert paid[0].status is PaymentStatus.SETTLED

    def test_a_rail_that_breaks_in_its_upkeep_leaves_the_others_theirs(
        self, provider: Stumbling, card: FakeProvider
    ) -> None:
        kept: list[str] = []

        def breaks() -> None:
            raise KeyError("rates")

        provider.upkeep = breaks  # type: ignore[attr-defined]
        card.upkeep = lambda: kept.append("card")  # type: ignore[attr-defined]
        upkeep.run()
        assert kept == ["card"]

    def test_a_worker_told_to_stop_gives_the_rest_back(
        self, provider: Stumbling, paid: list[Payment], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recording = verdicts.record

        def told_to_stop_meanwhile(observation: Observation) -> Payment:
            outbox.stopping.set()
            return recording(observation)

        monkeypatch.setattr(verdicts, "record", told_to_stop_meanwhile)
        try:
            with at(clock.now() + timedelta(seconds=6)) as travel:
                assert payments.check_due() == 1
                outbox.stopping.clear()
                monkeypatch.undo()
                travel.shift(timedelta(seconds=16))
                assert payments.check_due() >= 4
        finally:
            outbox.stopping.clear()
        assert {p.status for p in paid} == {PaymentStatus.SETTLED}


# ── watched to the end ───────────────────────────────────────────────────────────────────────


def incomplete(payment: Payment, *credits_: Credit) -> Payment:
    return verdicts.record(
        Observation(payment_id=payment.id, credits=credits_, checked_at=clock.now(), complete=False)
    )


@pytest.mark.parametrize("begun", [False, True])
def test_looks_that_never_see_everything_hold_a_price_for_a_day_at_most(
    payment: Payment, provider: FakeProvider, begun: bool
) -> None:
    some = Credit(reference="t:0", amount=replace(payment.due, minor=1), stage=Stage.SETTLED)
    with at(payment.expires_at + timedelta(hours=23)) as travel:
        incomplete(payment, *[some] * begun)
        assert payment.is_open
        travel.shift(timedelta(hours=2))
        incomplete(payment)
        becomes = PaymentStatus.REVIEW if begun else PaymentStatus.EXPIRED
        assert payment.status is becomes
        assert payment.order.status is OrderStatus.EXPIRED


def test_money_that_is_seen_is_watched_until_it_settles(
    payment: Payment, provider: FakeProvider
) -> None:
    reference = provider.receive(payment.reference, payment.due_minor, Stage.SEEN, confirmations=6)
    with at(payment.watch_until + timedelta(seconds=1)) as travel:
        assert look(payment).status is PaymentStatus.SEEN
        provider.change(reference, Stage.SETTLED, confirmations=7)
        travel.shift(timedelta(hours=2))
        payments.check_due()
        assert payment.status is PaymentStatus.SETTLED
        assert payment.next_check_at is None


def test_late_money_that_waits_for_a_rate_is_not_forgotten(
    payment: Payment, provider: FakeProvider
) -> None:
    with at(payment.expires_at + timedelta(minutes=1)) as travel:
        look(payment)
        rate, provider.rate = provider.rate, None
        provider.receive(payment.reference, payment.due_minor)
        travel.move_to(payment.watch_until + timedelta(seconds=1))
        assert look(payment).status is PaymentStatus.EXPIRED
        provider.rate = rate
        travel.shift(timedelta(hours=2))
        payments.check_due()
    assert payment.status is PaymentStatus.SETTLED


def test_an_order_whose_money_was_double_spent_expires_in_the_end(
    payment: Payment, provider: FakeProvider
) -> None:
    reference = provider.receive(payment.reference, payment.due_minor, Stage.SEEN)
    look(payment)
    provider.change(reference, Stage.GONE)
    assert look(payment).status is PaymentStatus.CONFLICTED
    assert orders.expire_abandoned() == 0
    with at(payment.expires_at + timedelta(hours=1)):
        assert orders.expire_abandoned() == 1
        db.session.commit()
        assert payment.order.status is OrderStatus.EXPIRED
        provider.change(reference, Stage.SETTLED)
        look(payment)
    assert payment.order.status is OrderStatus.PAID


def test_an_order_waits_for_the_payment_somebody_is_making(
    payment: Payment, provider: FakeProvider
) -> None:
    provider.receive(payment.reference, payment.due_minor, Stage.SEEN)
    look(payment)
    with at(payment.expires_at + timedelta(hours=1)):
        assert orders.expire_abandoned() == 0


# ── late ─────────────────────────────────────────────────────────────────────────────────────


def test_in_the_second_of_expiry_the_quote_still_holds(
    payment: Payment, provider: FakeProvider
) -> None:
    with at(payment.expires_at) as travel:
        assert look(payment).status is PaymentStatus.AWAITING
        provider.receive(payment.reference, payment.due_minor)
        travel.shift(timedelta(seconds=1))
        assert look(payment).status is PaymentStatus.SETTLED
    assert not payment.is_late


@pytest.mark.parametrize("part", [2, 1])
def test_who_has_begun_to_pay_goes_on_with_the_same_payment(
    payment: Payment, provider: FakeProvider, part: int
) -> None:
    provider.receive(payment.reference, payment.due_minor // part, Stage.SEEN)
    with at(payment.expires_at + timedelta(minutes=1)):
        assert look(payment).status in {PaymentStatus.PARTIAL, PaymentStatus.SEEN}
        assert openings.open_payment(payment.order_id, "fake").id == payment.id


def test_a_quote_whose_time_is_over_is_not_given_again(payment: Payment) -> None:
    with at(payment.expires_at):
        assert openings.open_payment(payment.order_id, "fake").id != payment.id


def test_a_dearer_price_paid_late_is_not_too_much(payment: Payment, provider: FakeProvider) -> None:
    with at(payment.expires_at + timedelta(minutes=1)):
        look(payment)
        provider.rate = Decimal(20)
        provider.receive(payment.reference, payment.due_minor * 25 // 20)
        assert look(payment).status is PaymentStatus.SETTLED
        assert not look(payment).is_overpaid


def test_too_much_that_came_late_stays_flagged(payment: Payment, provider: FakeProvider) -> None:
    with at(payment.expires_at + timedelta(minutes=1)):
        look(payment)
        provider.rate = Decimal(50)
        provider.receive(payment.reference, payment.due_minor * 13 // 10)
        assert look(payment).is_overpaid
        assert look(payment).is_overpaid


def test_late_money_for_an_old_quote_pays_and_ends_the_new_one(
    payment: Payment, provider: FakeProvider
) -> None:
    with at(payment.expires_at + timedelta(minutes=1)) as travel:
        look(payment)
        second = openings.open_payment(payment.order_id, "fake")
        provider.receive(payment.reference, payment.due_minor)
        assert look(payment).status is PaymentStatus.SETTLED
        assert payment.order.status is OrderStatus.PAID
        assert look(second).status is PaymentStatus.CANCELLED
        provider.receive(second.reference, second.due_minor)
        travel.shift(timedelta(hours=2))
        payments.check_due()
    assert payment.order.paid_twice
    assert len(letters("download")) == 1


def test_late_money_below_the_price_leaves_the_new_quote_open(
    payment: Payment, provider: FakeProvider
) -> None:
    with at(payment.expires_at + timedelta(minutes=1)) as travel:
        look(payment)
        provider.rate = Decimal(20)
        second = openings.open_payment(payment.order_id, "fake")
        provider.receive(payment.reference, payment.due_minor)
        assert look(payment).status is PaymentStatus.REVIEW
        assert payment.order.status is OrderStatus.PENDING
        travel.move_to(second.expires_at + timedelta(seconds=1))
        assert look(second).status is PaymentStatus.EXPIRED
        assert payment.order.status is OrderStatus.EXPIRED
        accepted = verdicts.accept(payment.id, who="admin@example.org", why="close enough")
    assert accepted.order.status is OrderStatus.PAID


def test_late_money_that_was_accepted_before_it_settled_is_not_taken_back(
    payment: Payment, provider: FakeProvider
) -> None:
    with at(payment.expires_at + timedelta(minutes=1)):
        look(payment)
        provider.rate = Decimal(20)
        reference = provider.receive(payment.reference, payment.due_minor, Stage.SEEN)
        assert look(payment).status is PaymentStatus.REVIEW
        verdicts.accept(payment.id, who="admin@example.org", why="close enough")
        assert look(payment).status is not PaymentStatus.CONFLICTED
        provider.change(reference, Stage.SETTLED)
        assert look(payment).status is PaymentStatus.SETTLED
    assert payment.order.status is OrderStatus.PAID
    assert [e.status for e in payment.order.entitlements] == [EntitlementStatus.ACTIVE]


def test_what_a_person_read_before_deciding_is_read_again(
    payment: Payment, provider: FakeProvider
) -> None:
    provider.receive(payment.reference, 30_000_000)
    with at(payment.expires_at + timedelta(hours=1)):
        look(payment)
        db.session.commit()
        with reading():
            [credit] = db.session.get_one(Payment, payment.id).credits
            assert credit.amount_minor == 30_000_000
            with db.engine.begin() as elsewhere:
                elsewhere.execute(update(PaymentCredit).values(amount_minor=40_000_000))
        accepted = verdicts.accept(payment.id, who="admin@example.org", why="close enough")
        assert accepted.required_minor == 40_000_000


# ── two ways to pay ──────────────────────────────────────────────────────────────────────────


def test_a_buyer_who_turned_to_another_rail_is_not_asked_for_the_rest(
    payment: Payment, provider: FakeProvider, card: FakeProvider
) -> None:
    provider.receive(payment.reference, 30_000_000)
    look(payment)
    assert len(letters("underpaid")) == 1
    other = openings.open_payment(payment.order_id, "card")
    card.receive(other.reference, other.due_minor)
    look(other)
    assert letters("underpaid") == []
    assert look(payment).status is PaymentStatus.REVIEW  # the part that came first goes back


def test_money_for_a_refunded_order_is_shown_to_the_owner(
    payment: Payment, provider: FakeProvider, card: FakeProvider
) -> None:
    factories.user(is_admin=True)
    other = openings.open_payment(payment.order_id, "card")
    card.receive(other.reference, other.due_minor)
    look(other)
    other.move_to(PaymentStatus.REFUNDED, why="asked for", who="admin")
    other.order.move_to(OrderStatus.REFUNDED, why="asked for", who="admin")
    for entitlement in other.order.entitlements:
        entitlement.move_to(EntitlementStatus.REVOKED, why="asked for", who="admin")
    db.session.commit()
    provider.receive(payment.reference, payment.due_minor)
    look(payment)
    assert len(letters("owner_attention")) == 1
    assert not payment.order.paid_twice


@pytest.mark.parametrize("stage", [Stage.SEEN, Stage.SETTLED])
def test_the_owner_hears_of_money_that_is_gone(
    payment: Payment, provider: FakeProvider, stage: Stage
) -> None:
    factories.user(is_admin=True)
    reference = provider.receive(payment.reference, payment.due_minor, stage)
    look(payment)
    provider.change(reference, Stage.GONE)
    assert look(payment).status is PaymentStatus.CONFLICTED
    assert len(letters("owner_attention")) == 1


def test_the_owner_hears_of_late_money_that_is_not_enough(
    payment: Payment, provider: FakeProvider
) -> None:
    factories.user(is_admin=True)
    with at(payment.expires_at + timedelta(minutes=1)):
        look(payment)
        provider.receive(payment.reference, payment.due_minor // 2)
        assert look(payment).status is PaymentStatus.REVIEW
    assert len(letters("owner_attention")) == 1


def test_a_payment_that_is_no_longer_needed_is_looked_at_less_often(
    payment: Payment, card: FakeProvider
) -> None:
    other = openings.open_payment(payment.order_id, "card")
    card.receive(other.reference, other.due_minor)
    with at(clock.now() + timedelta(seconds=1)):
        look(other)
        db.session.refresh(payment)
        assert payment.status is PaymentStatus.CANCELLED
        assert payment.next_check_at == clock.now() + timedelta(hours=1)


def test_of_two_payments_either_may_vanish_and_the_download_stays_open(
    payment: Payment, provider: FakeProvider, card: FakeProvider
) -> None:
    other = openings.open_payment(payment.order_id, "card")
    mine = provider.receive(payment.reference, payment.due_minor)
    theirs = card.receive(other.reference, other.due_minor)
    look(payment)
    look(other)
    order = payment.order
    assert order.paid_twice
    provider.change(mine, Stage.GONE)
    look(payment)
    assert order.entitlements[0].status is EntitlementStatus.ACTIVE
    card.change(theirs, Stage.GONE)
    look(other)
    assert order.entitlements[0].status is EntitlementStatus.SUSPENDED
    card.change(theirs, Stage.SETTLED)
    look(other)
    assert order.entitlements[0].status is EntitlementStatus.ACTIVE


# ── letters ──────────────────────────────────────────────────────────────────────────────────


def test_a_part_that_vanished_and_came_back_is_told_of_again(
    payment: Payment, provider: FakeProvider
) -> None:
    reference = provider.receive(payment.reference, 30_000_000)
    look(payment)
    provider.change(reference, Stage.GONE)
    assert look(payment).status is PaymentStatus.AWAITING
    assert letters("underpaid") == []
    provider.change(reference, Stage.SETTLED)
    assert look(payment).status is PaymentStatus.PARTIAL
    assert len(letters("underpaid")) == 1


def test_nobody_is_asked_for_the_rest_after_it_came(
    payment: Payment, provider: FakeProvider, outgoing: Outgoing
) -> None:
    provider.receive(payment.reference, 30_000_000)
    look(payment)
    outgoing.refuses["buyer@example.org"] = MailRefused("450 come back later")
    with at(clock.now() + timedelta(minutes=4)) as travel:
        outbox.deliver_due()
        assert [letter.status for letter in letters("underpaid")] == [EmailStatus.FAILED]
        provider.receive(payment.reference, payment.due_minor - 30_000_000)
        look(payment)
        outgoing.refuses.clear()
        travel.shift(timedelta(minutes=1))
        outbox.deliver_due()
    assert [letter.subject for letter in outgoing.letters if "paid" not in str(letter.subject)] == [
        letter.subject for letter in outgoing.to("buyer@example.org")
    ]
    assert letters("underpaid") == []


class Busy(Outgoing):
    """Something happens while the first letter is handed over."""

    meanwhile: Callable[[], object] | None = None

    def send(self, message: Message) -> None:
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        super().send(message)


class TestLetters:
    @pytest.fixture
    def outgoing(self) -> Busy:
        return Busy()

    @pytest.fixture
    def three(self) -> list[Order]:
        product = factories.product(price=0)
        return [factories.order(product, email=f"buyer{n}@example.org") for n in range(3)]

    def test_a_letter_taken_back_while_it_is_sent_stops_no_other(
        self, outgoing: Busy, three: list[Order]
    ) -> None:
        outbox.deliver_due()
        outgoing.letters.clear()
        for order in three:
            outbox.queue("download", to=order.email, key=f"again-{order.id}", order=order)
        keys = [f"again-{order.id}" for order in three]
        db.session.commit()

        def take_back() -> None:
            for key in keys[:2]:
                outbox.withdraw(key)
            db.session.commit()

        outgoing.meanwhile = take_back
        assert outbox.deliver_due() == 3
        assert [letter.recipients for letter in outgoing.letters] == [
            ["buyer0@example.org"],
            ["buyer2@example.org"],
        ]

    def test_a_slow_server_sends_no_letter_twice(
        self, app: Flask, outgoing: Busy, three: list[Order]
    ) -> None:
        with at(clock.now()) as travel:

            def another_worker() -> None:
                travel.shift(outbox.LEASE + timedelta(seconds=1))
                outbox.deliver_due()

            outgoing.meanwhile = another_worker
            outbox.deliver_due()
        sent = [str(letter.recipients[0]) for letter in outgoing.letters]
        assert sent.count("buyer1@example.org") == 1
        assert sent.count("buyer2@example.org") == 1

    def test_a_letter_nobody_can_send_holds_no_other_up(
        self, outgoing: Busy, three: list[Order], caplog: pytest.LogCaptureFixture
    ) -> None:
        outgoing.refuses["buyer0@example.org"] = AssertionError("no sender")  # type: ignore[assignment]
        with caplog.at_level(logging.CRITICAL):
            outbox.deliver_due()
        assert len(outgoing.letters) == 2
        assert [letter.status for letter in letters("download")].count(EmailStatus.FAILED) == 1


# ── what is written down ─────────────────────────────────────────────────────────────────────


def test_money_in_time_waits_for_no_rate(
    payment: Payment, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(provider, "quote", lambda total, now: asked.append(total))
    look(payment)
    provider.receive(payment.reference, payment.due_minor)
    assert look(payment).status is PaymentStatus.SETTLED
    look(payment)
    assert asked == []


def test_late_money_may_fall_short_of_todays_price_by_the_tolerance(
    payment: Payment, provider: FakeProvider
) -> None:
    with at(payment.expires_at + timedelta(minutes=1)):
        look(payment)
        provider.receive(payment.reference, payment.required_minor)
        assert look(payment).status is PaymentStatus.SETTLED
        assert payment.settled_at == clock.now()


def test_money_of_another_kind_is_not_counted(payment: Payment) -> None:
    dollars = Credit(reference="t:0", amount=payment.total * 10**6, stage=Stage.SETTLED)
    verdicts.record(Observation(payment_id=payment.id, credits=[dollars], checked_at=clock.now()))
    assert payment.status is PaymentStatus.AWAITING
    assert payment.credits == []


def test_news_that_is_no_news_is_not_written_down_again(
    payment: Payment, provider: FakeProvider
) -> None:
    reference = provider.receive(payment.reference, payment.due_minor, Stage.SEEN)
    look(payment)
    written = len(payment.order.events)
    provider.change(reference, Stage.SEEN, confirmations=1)
    look(payment)
    assert payment.credits[0].confirmations == 1
    assert len(payment.order.events) == written


def test_too_much_is_no_longer_too_much_when_it_is_gone(
    payment: Payment, provider: FakeProvider
) -> None:
    provider.receive(payment.reference, payment.due_minor)
    more = provider.receive(payment.reference, payment.due_minor)
    assert look(payment).is_overpaid
    provider.change(more, Stage.GONE)
    assert look(payment).status is PaymentStatus.SETTLED
    assert not payment.is_overpaid


def test_settled_money_is_watched_until_it_lies_deep(
    payment: Payment, provider: FakeProvider
) -> None:
    reference = provider.receive(payment.reference, payment.due_minor, confirmations=1)
    with at(payment.watch_until + timedelta(days=1)):
        look(payment)
        assert payment.next_check_at is not None
        provider.change(reference, Stage.SETTLED, confirmations=6)
        look(payment)
        assert payment.next_check_at is None


def test_a_change_is_looked_after_soon(payment: Payment, provider: FakeProvider) -> None:
    with at(payment.created_at + timedelta(hours=1)):
        look(payment)
        assert payment.next_check_at == clock.now() + timedelta(minutes=3)
        provider.receive(payment.reference, payment.due_minor, Stage.SEEN)
        look(payment)
        assert payment.next_check_at == clock.now() + timedelta(seconds=5)


def test_only_a_look_that_saw_everything_counts_as_one(payment: Payment) -> None:
    incomplete(payment)
    assert payment.checked_at is None
    look(payment)
    assert payment.checked_at is not None
