"""Money arrives: what the store makes of it, through its one door."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import clock
from app.extensions import db
from app.models import (
    Entitlement,
    EntitlementStatus,
    Order,
    OrderStatus,
    OutgoingEmail,
    Payment,
    PaymentStatus,
)
from app.payments.base import (
    Credit,
    InvalidProof,
    Observation,
    ProviderUnavailable,
    Stage,
    UnknownProof,
)
from app.services import invariants, openings, orders, outbox, payments, verdicts
from app.services.links import BelongsToAccount, token_of
from tests import factories
from tests.fakes.outgoing import Outgoing, links
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture(autouse=True)
def nothing_is_broken(app: Flask) -> object:
    yield
    assert invariants.findings() == []


@pytest.fixture
def payment() -> Payment:
    order = factories.order()
    return openings.open_payment(order.id, "fake")


def look(payment: Payment) -> Payment:
    payments.refresh([payment.id])
    return db.session.get_one(Payment, payment.id, populate_existing=True)


def letters(name: str) -> list[OutgoingEmail]:
    return db.session.query(OutgoingEmail).filter_by(letter=name).all()


def test_a_quote_fixes_the_amount_the_rate_and_the_time(payment: Payment) -> None:
    assert payment.due_minor == 76_000_000  # USD 19 at USD 25 a coin
    assert payment.rate == "25"
    assert payment.expires_at - payment.created_at <= timedelta(hours=2)
    assert payment.required_minor == 75_620_000  # half a percent less


def test_full_payment_pays_entitles_and_writes_at_once(
    payment: Payment, provider: FakeProvider
) -> None:
    provider.receive(payment.reference, payment.due_minor)
    assert look(payment).status is PaymentStatus.SETTLED
    order = payment.order
    assert order.status is OrderStatus.PAID
    assert [e.status for e in order.entitlements] == [EntitlementStatus.ACTIVE]
    assert len(letters("download")) == 1


def test_the_same_news_ten_times_changes_nothing(payment: Payment, provider: FakeProvider) -> None:
    provider.receive(payment.reference, payment.due_minor)
    for _ in range(10):
        look(payment)
    assert db.session.query(Entitlement).count() == 1
    assert len(letters("download")) == 1


def test_each_item_gets_one_entitlement_and_the_order_one_letter(provider: FakeProvider) -> None:
    order = factories.order(factories.product(), factories.product(), quantity=2)
    payment = openings.open_payment(order.id, "fake")
    provider.receive(payment.reference, payment.due_minor)
    look(payment)
    assert [e.download_limit for e in order.entitlements] == [10, 10]
    assert len(letters("download")) == 1


def test_short_money_leaves_the_order_open_and_says_so_once(
    payment: Payment, provider: FakeProvider
) -> None:
    factories.user(is_admin=True)
    provider.receive(payment.reference, payment.due_minor - 10_000_000)
    for _ in range(3):
        assert look(payment).status is PaymentStatus.PARTIAL
    assert payment.missing.minor == 10_000_000
    assert len(letters("underpaid")) == 1
    assert len(letters("owner_attention")) == 1


def test_the_rest_completes_a_short_payment_and_takes_the_warning_back(
    payment: Payment, provider: FakeProvider
) -> None:
    provider.receive(payment.reference, 50_000_000)
    look(payment)
    provider.receive(payment.reference, payment.due_minor - 50_000_000)
    assert look(payment).status is PaymentStatus.SETTLED
    assert letters("underpaid") == []


def test_unconfirmed_money_is_seen_and_settles_later(
    payment: Payment, provider: FakeProvider
) -> None:
    reference = provider.receive(payment.reference, payment.due_minor, Stage.SEEN)
    assert look(payment).status is PaymentStatus.SEEN
    assert payment.order.status is OrderStatus.PENDING
    provider.change(reference, Stage.SETTLED)
    assert look(payment).status is PaymentStatus.SETTLED


def test_money_that_vanishes_suspends_and_money_that_is_back_restores(
    payment: Payment, provider: FakeProvider
) -> None:
    reference = provider.receive(payment.reference, payment.due_minor)
    look(payment)
    provider.change(reference, Stage.GONE)
    assert look(payment).status is PaymentStatus.CONFLICTED
    assert payment.order.entitlements[0].status is EntitlementStatus.SUSPENDED
    provider.change(reference, Stage.SETTLED)
    assert look(payment).status is PaymentStatus.SETTLED
    assert payment.order.entitlements[0].status is EntitlementStatus.ACTIVE
    assert len(letters("download")) == 1


def test_a_block_that_was_orphaned_is_taken_back_from_the_evidence(payment: Payment) -> None:
    for evidence in ({"raw": "00", "block_hash": "ff"}, {"block_hash": "", "reason": "unmined"}):
        credit = Credit(reference="t:0", amount=payment.due, stage=Stage.SEEN, evidence=evidence)
        verdicts.record(
            Observation(payment_id=payment.id, credits=[credit], checked_at=clock.now())
        )
    assert payment.credits[0].evidence == {"raw": "00", "reason": "unmined"}


def test_a_payment_expires_only_after_a_look_past_its_time(
    payment: Payment, provider: FakeProvider
) -> None:
    with time_machine.travel(payment.expires_at + timedelta(minutes=1), tick=False):
        provider.unavailable = True
        payments.refresh([payment.id])
        assert db.session.get_one(Payment, payment.id).status is PaymentStatus.AWAITING
        provider.unavailable = False
        assert look(payment).status is PaymentStatus.EXPIRED
        assert payment.order.status is OrderStatus.EXPIRED


def test_money_that_came_while_nobody_looked_counts_at_its_quote(
    payment: Payment, provider: FakeProvider
) -> None:
    provider.receive(payment.reference, payment.due_minor)
    with time_machine.travel(payment.expires_at + timedelta(hours=5), tick=False):
        assert look(payment).status is PaymentStatus.SETTLED


@pytest.mark.parametrize(
    ("rate", "becomes", "order_becomes"),
    [
        ("30", PaymentStatus.SETTLED, OrderStatus.PAID),
        ("20", PaymentStatus.REVIEW, OrderStatus.EXPIRED),
    ],
)
def test_late_money_counts_if_it_covers_todays_price(
    payment: Payment,
    provider: FakeProvider,
    rate: str,
    becomes: PaymentStatus,
    order_becomes: OrderStatus,
) -> None:
    from decimal import Decimal

    with time_machine.travel(payment.expires_at + timedelta(minutes=1), tick=False):
        look(payment)
        provider.rate = Decimal(rate)
        provider.receive(payment.reference, payment.due_minor)
        assert look(payment).status is becomes
        assert payment.order.status is order_becomes
        assert payment.is_late or becomes is PaymentStatus.REVIEW


def test_late_money_waits_for_a_rate(payment: Payment, provider: FakeProvider) -> None:
    with time_machine.travel(payment.expires_at + timedelta(minutes=1), tick=False):
        look(payment)
        rate, provider.rate = provider.rate, None
        provider.receive(payment.reference, payment.due_minor)
        assert look(payment).status is PaymentStatus.EXPIRED
        provider.rate = rate
        assert look(payment).status is PaymentStatus.SETTLED


def test_paying_twice_grants_once_and_flags_a_refund(provider: FakeProvider) -> None:
    factories.user(is_admin=True)
    order = factories.order()
    first = openings.open_payment(order.id, "fake")
    with time_machine.travel(first.expires_at + timedelta(seconds=1), tick=False):
        look(first)
        second = openings.open_payment(order.id, "fake")
        assert second.id != first.id
        assert order.status is OrderStatus.PENDING
        provider.receive(second.reference, second.due_minor)
        look(second)
        provider.receive(first.reference, first.due_minor)
        look(first)
    assert order.paid_twice
    assert db.session.query(Entitlement).count() == 1
    assert len(letters("download")) == 1
    assert len(letters("owner_attention")) == 1


def test_one_output_pays_one_order(provider: FakeProvider) -> None:
    mine = openings.open_payment(factories.order().id, "fake")
    other = openings.open_payment(factories.order().id, "fake")
    txid = provider.a_txid()
    provider.receive(mine.reference, mine.due_minor, txid=txid)
    look(mine)
    provider.receive(other.reference, other.due_minor, txid=txid)  # the very same output
    assert look(other).status is PaymentStatus.AWAITING


def test_too_much_settles_and_is_flagged(payment: Payment, provider: FakeProvider) -> None:
    provider.receive(payment.reference, payment.due_minor * 2)
    assert look(payment).status is PaymentStatus.SETTLED
    assert payment.is_overpaid


def test_asking_for_a_payment_again_gives_the_same_one(payment: Payment) -> None:
    assert openings.open_payment(payment.order_id, "fake").id == payment.id


def test_an_order_that_is_paid_takes_no_payment(payment: Payment, provider: FakeProvider) -> None:
    provider.receive(payment.reference, payment.due_minor)
    look(payment)
    with pytest.raises(openings.OrderNotPayable):
        openings.open_payment(payment.order_id, "fake")


def test_a_posted_id_is_examined_at_once(payment: Payment, provider: FakeProvider) -> None:
    reference = provider.receive(payment.reference, payment.due_minor, listed=False)
    assert look(payment).status is PaymentStatus.AWAITING
    txid = reference.partition(":")[0]
    assert payments.submit(payment.id, txid).status is PaymentStatus.SETTLED


def test_a_posted_id_that_nobody_knows_yet_is_kept_for_the_worker(
    payment: Payment, provider: FakeProvider
) -> None:
    txid = provider.a_txid()
    with pytest.raises(UnknownProof):
        payments.submit(payment.id, txid)
    provider.receive(payment.reference, payment.due_minor, txid=txid, listed=False)
    assert look(payment).status is PaymentStatus.SETTLED
    assert payment.proofs == []


def test_a_posted_id_is_kept_while_the_explorer_is_silent(
    payment: Payment, provider: FakeProvider
) -> None:
    txid = provider.a_txid()
    provider.receive(payment.reference, payment.due_minor, txid=txid, listed=False)
    provider.unavailable = True
    with pytest.raises(ProviderUnavailable):
        payments.submit(payment.id, txid)
    provider.unavailable = False
    assert look(payment).status is PaymentStatus.SETTLED


def test_a_posted_id_that_paid_another_order_is_refused_in_words(provider: FakeProvider) -> None:
    mine = openings.open_payment(factories.order().id, "fake")
    other = openings.open_payment(factories.order().id, "fake")
    txid = provider.a_txid()
    provider.receive(mine.reference, mine.due_minor, txid=txid)
    look(mine)
    with pytest.raises(InvalidProof):
        payments.submit(other.id, txid)


def test_an_admin_may_accept_what_is_in_review(payment: Payment, provider: FakeProvider) -> None:
    provider.receive(payment.reference, 50_000_000)
    with time_machine.travel(payment.expires_at + timedelta(hours=1), tick=False):
        look(payment)
        assert look(payment).status is PaymentStatus.REVIEW
        accepted = verdicts.accept(payment.id, who="admin@example.org", why="close enough")
    assert accepted.status is PaymentStatus.SETTLED
    assert accepted.order.status is OrderStatus.PAID
    assert any(event.who == "admin@example.org" for event in accepted.order.events)


def test_every_change_leaves_an_event(payment: Payment, provider: FakeProvider) -> None:
    provider.receive(payment.reference, payment.due_minor)
    look(payment)
    moves = [(e.subject, e.was, e.now) for e in payment.order.events]
    assert ("order", "pending", "paid") in moves
    assert ("payment", "awaiting", "settled") in moves
    assert ("entitlement", None, "active") in moves


def test_nothing_to_pay_is_fulfilled_at_once() -> None:
    order = factories.order(factories.product(price=0))
    assert order.status is OrderStatus.PAID
    assert len(order.entitlements) == 1
    assert order.payments == []


def test_an_order_nobody_pays_expires(app: Flask) -> None:
    order = factories.order()
    with time_machine.travel(clock.now() + timedelta(hours=3), tick=False):
        assert orders.expire_abandoned() == 1
        db.session.commit()
    assert order.status is OrderStatus.EXPIRED


def test_the_worker_looks_at_what_is_due_and_no_more(
    payment: Payment, provider: FakeProvider
) -> None:
    assert payments.check_due() == 0
    with time_machine.travel(clock.now() + timedelta(seconds=6), tick=False):
        assert payments.check_due() == 1
        assert payments.check_due() == 0


def test_a_payment_left_out_of_a_look_is_tried_again_soon(
    payment: Payment, provider: FakeProvider
) -> None:
    provider.silent_about.add(payment.reference)
    with time_machine.travel(clock.now() + timedelta(seconds=6), tick=False) as travel:
        assert payments.check_due() == 0
        provider.silent_about.clear()
        travel.shift(timedelta(seconds=16))
        assert payments.check_due() == 1


def test_an_expired_payment_is_watched_for_a_week_and_no_longer(
    payment: Payment, provider: FakeProvider
) -> None:
    with time_machine.travel(payment.expires_at + timedelta(minutes=1), tick=False) as travel:
        look(payment)
        assert payment.next_check_at == clock.now() + timedelta(minutes=3)
        travel.shift(timedelta(minutes=15))
        look(payment)
        assert payment.next_check_at == clock.now() + timedelta(hours=1)
        travel.move_to(payment.watch_until + timedelta(seconds=1))
        look(payment)
        assert payment.next_check_at is None


def test_the_letter_holds_the_link_and_the_database_does_not(
    payment: Payment, provider: FakeProvider, outgoing: Outgoing
) -> None:
    provider.receive(payment.reference, payment.due_minor)
    look(payment)
    outbox.deliver_due()
    [letter] = outgoing.to("buyer@example.org")
    tokens = [link.rsplit("/", 1)[1] for link in links(letter)]
    assert len(tokens) == 2
    with db.engine.connect() as connection:
        dump = " ".join(
            str(row)
            for table in reversed(db.metadata.sorted_tables or Entitlement.metadata.sorted_tables)
            for row in connection.execute(table.select())
        )
    assert not any(token in dump for token in tokens)


def test_orders_are_found_by_their_owner_only() -> None:
    owner, stranger = factories.user(), factories.user()
    order = factories.order(user=owner)
    token = token_of(order)
    assert orders.open_by_token(token, user=owner).id == order.id
    with pytest.raises(orders.NoSuchOrder):
        orders.open_by_token(token, user=stranger)
    with pytest.raises(BelongsToAccount):
        orders.open_by_token(token, user=None)


def test_the_same_press_of_the_button_gives_the_same_order() -> None:
    from app.services.carts import Cart, fill

    cart = fill(Cart({factories.product().id: 1}))

    def place() -> Order:
        return orders.place(
            cart, email="a@example.org", user=None, key="one press", shown_total=cart.total
        )

    assert place().id == place().id
    db.session.commit()


def test_the_operator_may_look_before_it_is_due(
    app: Flask, payment: Payment, provider: FakeProvider
) -> None:
    provider.receive(payment.reference, payment.due_minor)
    result = app.test_cli_runner().invoke(args=["payments", "check"])
    assert result.output == "1 payments looked at\n"
    assert payment.status is PaymentStatus.SETTLED
