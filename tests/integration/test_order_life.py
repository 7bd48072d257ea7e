"""The life of orders under everything that happens, in any order (a stateful test).

The rules do to the store what buyers, chains, clocks and workers do; after each of them the
store's own invariants hold, and no more is granted than was paid for.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app import clock
from app.extensions import db
from app.models import Entitlement, EntitlementStatus, Order, OutgoingEmail, Payment, PaymentCredit
from app.payments.base import InvalidProof, ProviderUnavailable, Stage, UnknownProof
from app.services import invariants, openings, orders, outbox, payments
from tests import conftest, factories
from tests.fakes.outgoing import Outgoing
from tests.fakes.provider import FakeProvider

PARTS = st.sampled_from([Decimal("0.3"), Decimal("0.5"), Decimal("0.995"), Decimal(1), Decimal(2)])
STAGES = st.sampled_from([Stage.SEEN, Stage.SETTLED])
WAITS = st.sampled_from(
    [timedelta(minutes=1), timedelta(hours=1), timedelta(hours=3), timedelta(days=8)]
)
WHICH = st.integers(0, 9)


class Life(RuleBasedStateMachine):
    provider: FakeProvider
    outgoing: Outgoing

    def __init__(self) -> None:
        super().__init__()
        conftest.empty()
        db.session.expunge_all()
        self.time = time_machine.travel(clock.now(), tick=False)
        self.traveller = self.time.start()
        self.provider.unavailable = False
        self.provider.rate = Decimal(25)
        self.references: list[str] = []
        self.product_id = factories.product(price=1900).id

    def teardown(self) -> None:
        db.session.rollback()
        self.time.stop()

    def payment(self, which: int) -> Payment:
        found = db.session.query(Payment).order_by(Payment.id).all()
        return found[which % len(found)]

    @rule(key=st.sampled_from("abc"))
    def press_the_order_button(self, key: str) -> None:
        from app.services.carts import Cart, fill

        cart = fill(Cart({self.product_id: 1}))
        orders.place(cart, email="b@example.org", user=None, key=key, shown_total=cart.total)
        db.session.commit()

    @precondition(lambda self: db.session.query(Order).count())
    @rule(which=WHICH)
    def ask_to_pay(self, which: int) -> None:
        found = db.session.query(Order).order_by(Order.id).all()
        try:
            openings.open_payment(found[which % len(found)].id, "fake")
        except (openings.OrderNotPayable, ProviderUnavailable):
            db.session.rollback()

    @precondition(lambda self: db.session.query(Payment).count())
    @rule(which=WHICH, part=PARTS, stage=STAGES, listed=st.booleans())
    def send_money(self, which: int, part: Decimal, stage: Stage, listed: bool) -> None:
        payment = self.payment(which)
        self.references.append(
            self.provider.receive(
                payment.reference, int(payment.due_minor * part), stage, listed=listed
            )
        )

    @precondition(lambda self: self.references)
    @rule(which=WHICH, stage=st.sampled_from(Stage), confirmations=st.sampled_from([0, 1, 6]))
    def the_chain_changes(self, which: int, stage: Stage, confirmations: int) -> None:
        self.provider.change(
            self.references[which % len(self.references)], stage, confirmations=confirmations
        )

    @precondition(lambda self: self.references and db.session.query(Payment).count())
    @rule(which=WHICH, whose=WHICH)
    def post_a_transaction(self, which: int, whose: int) -> None:
        txid = self.references[which % len(self.references)].partition(":")[0]
        try:
            payments.submit(self.payment(whose).id, txid)
        except (InvalidProof, UnknownProof, ProviderUnavailable):
            db.session.rollback()

    @rule()
    def the_worker_looks(self) -> None:
        payments.check_due()

    @precondition(lambda self: db.session.query(Payment).count())
    @rule(which=WHICH)
    def somebody_asks(self, which: int) -> None:
        payments.refresh([self.payment(which).id])

    @rule(wait=WAITS)
    def time_passes(self, wait: timedelta) -> None:
        self.traveller.shift(wait)

    @rule(rate=st.sampled_from([Decimal(20), Decimal(25), Decimal(30), None]))
    def the_rate_moves(self, rate: Decimal | None) -> None:
        self.provider.rate = rate

    @rule(down=st.booleans())
    def the_explorer_fails_or_returns(self, down: bool) -> None:
        self.provider.unavailable = down

    @rule()
    def forgotten_orders_expire(self) -> None:
        orders.expire_abandoned()
        db.session.commit()

    @rule()
    def letters_leave(self) -> None:
        outbox.deliver_due()

    @invariant()
    def all_is_well(self) -> None:
        late_letters = "a letter leaves within 15 minutes"
        assert [f for f in invariants.findings() if f.rule != late_letters] == []

    @invariant()
    def nobody_downloads_what_was_not_paid(self) -> None:
        for entitlement in db.session.query(Entitlement).filter_by(status=EntitlementStatus.ACTIVE):
            paid = [p for p in entitlement.order.payments if p.received.minor >= p.required_minor]
            assert paid, entitlement.order.number
        db.session.commit()

    @invariant()
    def every_item_is_granted_once_and_told_once(self) -> None:
        granted = db.session.query(Entitlement.line_item_id).all()
        assert len(granted) == len(set(granted))
        told = db.session.query(OutgoingEmail.order_id).filter_by(letter="download").all()
        assert len(told) == len(set(told))
        db.session.commit()

    @invariant()
    def no_coin_counts_twice(self) -> None:
        counted = db.session.query(PaymentCredit.reference).all()
        assert len(counted) == len(set(counted))
        db.session.commit()


@pytest.mark.usefixtures("app")
def test_whatever_happens_orders_stay_true(
    app: Flask, provider: FakeProvider, outgoing: Outgoing
) -> None:
    import os

    machine = type("ThisLife", (Life,), {"provider": provider, "outgoing": outgoing})
    examples = int(os.environ.get("STATEFUL_EXAMPLES", "60"))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
