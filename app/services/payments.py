"""The one door for money: whatever hints at a payment ends in `record`, under one lock.

Nothing here holds a transaction while a provider is asked. That is why `open_payment`, `refresh`
and `submit` end the transaction they find and commit their own (docs/adr/0002): look first, then
lock, compare, write.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from app import clock
from app.checkpoints import checkpoint
from app.extensions import db, reading
from app.models import (
    Order,
    OrderStatus,
    Payment,
    PaymentCredit,
    PaymentSequence,
    PaymentStatus,
    PostedProof,
)
from app.models.lifecycle import note
from app.models.payment import OPEN
from app.money import Money
from app.payments.base import (
    AcceptsProof,
    Credit,
    DestinationTaken,
    InvalidProof,
    KnownCredit,
    LineItem,
    Observation,
    OpenPayment,
    PaymentIntent,
    PaymentProvider,
    PaymentRequest,
    ProviderUnavailable,
    Quote,
    RateUnavailable,
    Stage,
    UnknownProof,
)
from app.services import attention, fulfilment, orders, outbox, schedule
from app.services.database import insert_once
from app.services.judging import Look, Standing, Verdict, judge
from app.services.links import order_url
from app.wiring import settings, wiring

log = logging.getLogger(__name__)

DESTINATIONS_TO_TRY = 25  # numbers skipped at once when a restored database lags behind the chain
BATCH = 100  # payments looked at in one go
PROOFS_KEPT = 5  # posted ids nobody has heard of yet, for each payment


class UnknownProvider(Exception):
    """No such way to pay is offered."""


class OrderNotPayable(Exception):
    """The order is paid, cancelled or refunded: no money is due."""


class TransactionAlreadyUsed(InvalidProof):
    """The posted transaction has paid another payment."""


# ── opening ──────────────────────────────────────────────────────────────────────────────────


def open_payment(order_id: int, provider_id: str) -> Payment:
    """Open a payment for an order, or give the one that is open already. Commits.

    UnknownProvider, OrderNotPayable, RateUnavailable.
    """
    provider = _provider(provider_id)
    order = _payable(order_id)
    if (payment := _current(order, provider_id)) is not None:
        return payment
    total, intent_of = order.total, _intents(order)
    db.session.commit()

    quote = provider.quote(total, now=clock.now())
    for _ in range(DESTINATIONS_TO_TRY):
        number = _next_number(provider)
        intent = intent_of(quote, number, _taken(provider))
        db.session.commit()
        try:
            return _opened(order_id, provider, intent, provider.open(intent))
        except DestinationTaken:
            log.warning("number %s of %s has a history already", number, provider.sequence)
        except IntegrityError:  # somebody else was given the same in this very moment
            db.session.rollback()
            log.warning("a destination of %s was taken a moment ago", provider_id)
    raise ProviderUnavailable("no unused destination found")


def _opened(
    order_id: int, provider: PaymentProvider, intent: PaymentIntent, request: PaymentRequest
) -> Payment:
    """The payment written down, or the one that another press of the button opened meanwhile."""
    order, quote = _payable(order_id), intent.quote
    if (payment := _current(order, provider.id)) is not None:
        db.session.commit()
        return payment
    now = clock.now()
    payment = Payment(
        order=order,
        provider=provider.id,
        status=PaymentStatus.AWAITING,
        reference=request.reference,
        claim=request.reference,
        sequence=provider.sequence,
        sequence_number=intent.sequence,
        details=dict(request.details),
        redirect_url=request.redirect_url,
        due_minor=request.due.minor,
        due_currency=request.due.currency,
        required_minor=(request.due - _tolerance(request.due, quote)).minor,
        total_minor=quote.total.minor,
        rate=None if quote.rate is None else str(quote.rate),
        rate_at=quote.rate_at,
        rate_sources=dict(quote.sources),
        created_at=now,
        expires_at=intent.expires_at,
        watch_until=intent.expires_at + settings().watch_for,
        viewed_at=now,
        next_check_at=now + schedule.HOT,
    )
    db.session.add(payment)
    db.session.flush()
    note(
        order,
        payment,
        now=PaymentStatus.AWAITING,
        why=f"opened through {provider.label}",
        who="buyer",
    )
    if order.status is OrderStatus.EXPIRED:
        order.move_to(OrderStatus.PENDING, why="a new quote was asked for", who="buyer")
    db.session.commit()
    return payment


def _payable(order_id: int) -> Order:
    order = db.session.get_one(
        Order,
        order_id,
        with_for_update=True,
        populate_existing=True,
        options=[selectinload(Order.payments)],
    )
    if order.status not in {OrderStatus.PENDING, OrderStatus.EXPIRED}:
        raise OrderNotPayable(order.number)
    return order


def _current(order: Order, provider_id: str) -> Payment | None:
    """The payment a buyer would go on with: open, and not past its time."""
    for payment in order.payments:
        if payment.provider == provider_id and payment.status in OPEN:
            begun = payment.status is not PaymentStatus.AWAITING
            if begun or payment.expires_at > clock.now():
                return payment
    return None


def _next_number(provider: PaymentProvider) -> int | None:
    """A number of the provider's sequence that nobody had before."""
    if provider.sequence is None:
        return None
    first = {"name": provider.sequence, "next_number": 0}
    db.session.execute(insert_once(PaymentSequence, first, on="name"))
    following = db.session.scalars(
        update(PaymentSequence)
        .where(PaymentSequence.name == provider.sequence)
        .values(next_number=PaymentSequence.next_number + 1)
        .returning(PaymentSequence.next_number)
    ).one()
    return following - 1


def _taken(provider: PaymentProvider) -> frozenset[int]:
    """Amounts that other watched payments of this provider are told apart by."""
    if provider.sequence is not None:
        return frozenset()
    watched = select(Payment.due_minor).where(
        Payment.provider == provider.id, Payment.claim.is_not(None)
    )
    return frozenset(db.session.scalars(watched))


@dataclass(frozen=True, slots=True)
class _Intents:
    """Makes the intent for an order, after its transaction is over."""

    number: str
    email: str
    key: str
    items: tuple[LineItem, ...]
    return_url: str

    def __call__(self, quote: Quote, sequence: int | None, taken: frozenset[int]) -> PaymentIntent:
        return PaymentIntent(
            key=self.key,
            order_number=self.number,
            email=self.email,
            quote=quote,
            items=self.items,
            expires_at=quote.quoted_at + quote.holds_for,
            return_url=self.return_url,
            sequence=sequence,
            taken=taken,
        )


def _intents(order: Order) -> _Intents:
    return _Intents(
        number=order.number,
        email=order.email,
        key=f"{order.number}-{len(order.payments) + 1}",
        items=tuple(
            LineItem(name=item.product_name, unit_price=item.unit_price, quantity=item.quantity)
            for item in order.items
        ),
        return_url=order_url(order),
    )


def _tolerance(due: Money, quote: Quote) -> Money:
    """How much less than `due` is taken as paid: a percentage, at most a fixed sum in USD."""
    if quote.rate is None:  # what is charged exactly cannot fall short
        return Money(0, due.currency)
    config = settings()
    most = config.tolerance_limit.at_rate(quote.rate, into=due.currency)
    return min(due.share(config.tolerance_percent), most)


# ── looking ──────────────────────────────────────────────────────────────────────────────────


def refresh(payment_ids: Iterable[int]) -> list[int]:
    """Ask the providers about these payments and record what they see; say of which. Commits."""
    with reading():
        found = db.session.scalars(
            select(Payment)
            .where(Payment.id.in_(list(payment_ids)))
            .options(selectinload(Payment.credits), selectinload(Payment.proofs))
        ).all()
        by_provider: dict[str, list[OpenPayment]] = {}
        for payment in found:
            by_provider.setdefault(payment.provider, []).append(_as_open(payment))
        db.session.rollback()
    seen: list[int] = []
    for provider_id, payments in by_provider.items():
        provider = wiring().providers.get(provider_id)
        if provider is None:
            log.error("payments of “%s” are open, but it is no longer configured", provider_id)
            continue
        for observation in _look(provider, payments):
            if outbox.stopping.is_set():
                return seen
            try:
                record(observation)
            except Exception:  # one broken payment must not stop the others
                db.session.rollback()
                log.exception("what was seen of payment %s is not kept", observation.payment_id)
            else:
                seen.append(observation.payment_id)
    return seen


def _look(provider: PaymentProvider, payments: Sequence[OpenPayment]) -> Iterator[Observation]:
    """What the provider sees; where it breaks down, it is asked again by halves."""
    left = {payment.id: payment for payment in payments}
    try:
        for observation in provider.check(payments):
            left.pop(observation.payment_id, None)
            yield observation
    except ProviderUnavailable as error:
        log.warning("%s could not look: %s", provider.id, error)
    except Exception:
        log.exception("%s broke down over payments %s", provider.id, sorted(left))
        rest = list(left.values())
        middle = (len(rest) + 1) // 2
        for some in (rest[:middle], rest[middle:]):
            if some and len(payments) > 1:
                yield from _look(provider, some)


def submit(payment_id: int, proof: str) -> Payment:
    """Examine what a buyer posted and record what it shows. Commits.

    InvalidProof (TransactionAlreadyUsed) in the buyer's words; UnknownProof and ProviderUnavailable
    when the worker will look again.
    """
    with reading():
        payment = db.session.get_one(Payment, payment_id)
        known = _as_open(payment)
        provider = _provider(payment.provider)
        db.session.rollback()
    if not isinstance(provider, AcceptsProof):
        raise InvalidProof("This way to pay needs no transaction ID.")
    proof = provider.normalise_proof(proof)
    try:
        observation = provider.submit(known, proof)
    except (UnknownProof, ProviderUnavailable):
        _keep(payment_id, proof)
        raise
    payment = record(observation)
    mine = {credit.reference for credit in payment.credits}
    if observation.credits and not any(credit.reference in mine for credit in observation.credits):
        raise TransactionAlreadyUsed(
            "This transaction has already paid another order. "
            "Please send the ID of the one for this order."
        )
    return payment


def ask_again(payment: Payment) -> None:
    """Somebody is waiting in front of this payment: let the worker look at it soon."""
    now = clock.now()
    payment.viewed_at = now
    if payment.next_check_at is not None:
        payment.next_check_at = min(payment.next_check_at, now + schedule.SOON)


def _keep(payment_id: int, proof: str) -> None:
    """Remember a posted id that could not be examined, for the worker."""
    payment = db.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    if proof not in {kept.proof for kept in payment.proofs}:
        for oldest in payment.proofs[: max(len(payment.proofs) - PROOFS_KEPT + 1, 0)]:
            db.session.delete(oldest)
        payment.proofs.append(PostedProof(proof=proof, posted_at=clock.now()))
    ask_again(payment)
    db.session.commit()


def _as_open(payment: Payment) -> OpenPayment:
    return OpenPayment(
        id=payment.id,
        reference=payment.reference,
        due=payment.due,
        total=payment.total,
        details=payment.details,
        created_at=payment.created_at,
        expires_at=payment.expires_at,
        credits=tuple(
            KnownCredit(
                reference=credit.reference,
                amount=credit.amount,
                stage=credit.stage,
                first_seen_at=credit.first_seen_at,
                evidence=credit.evidence,
            )
            for credit in payment.credits
        ),
        proofs=tuple(posted.proof for posted in payment.proofs),
    )


# ── recording ────────────────────────────────────────────────────────────────────────────────


def record(observation: Observation) -> Payment:
    """Write an observation down, judge the payment anew and do what follows, all or nothing.

    Commits. The order is locked before its payment, always.
    """
    today = _required_today(observation)
    payment = _lock(observation.payment_id)
    changed = _merge(payment, observation)
    db.session.flush()
    checkpoint("payment-stored")
    verdict = judge(
        Standing(
            status=payment.status,
            due=payment.due_minor,
            required=payment.required_minor,
            required_today=today,
            expires_at=payment.expires_at,
            is_late=payment.is_late,
        ),
        [(credit.amount_minor, credit.stage) for credit in payment.credits],
        Look(began_at=observation.checked_at, complete=observation.complete),
    )
    _apply(payment, verdict)
    if observation.complete:
        payment.checked_at = observation.checked_at
    schedule.plan(payment, just_changed=changed)
    checkpoint("before-commit")
    db.session.commit()
    checkpoint("after-commit")
    return payment


def _required_today(observation: Observation) -> int | None:
    """What would be enough at today's rate: for late money only, before anything is locked."""
    if not observation.credits:
        return None
    with reading():
        payment = db.session.get_one(Payment, observation.payment_id)
        late = payment.status not in OPEN and payment.status is not PaymentStatus.SETTLED
        provider, total = wiring().providers.get(payment.provider), payment.total
        db.session.rollback()
    if not late or provider is None:
        return None
    try:
        quote = provider.quote(total, now=clock.now())
    except RateUnavailable:
        return None
    return (quote.due - _tolerance(quote.due, quote)).minor


def _lock(payment_id: int) -> Payment:
    db.session.rollback()  # what was read before the lock may be old
    order_id = db.session.scalars(select(Payment.order_id).where(Payment.id == payment_id)).one()
    db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
    return db.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)


def _merge(payment: Payment, observation: Observation) -> bool:
    """Add new credits and bring known ones up to date; say whether anything changed."""
    known = {credit.reference: credit for credit in payment.credits}
    changed = False
    for credit in observation.credits:
        if credit.amount.currency is not payment.due_currency:
            log.error(
                "a credit in %s for payment %s is not counted", credit.amount.currency, payment.id
            )
        elif (row := known.get(credit.reference)) is None:
            changed |= _add(payment, credit)
        elif row.changed_at <= observation.checked_at:  # else what is known is the newer news
            changed |= _bring_up_to_date(payment, row, credit)
    explained = set(observation.explained)
    for posted in [posted for posted in payment.proofs if posted.proof in explained]:
        payment.proofs.remove(posted)
    return changed


def _add(payment: Payment, credit: Credit) -> bool:
    """Count a new credit, unless it counts for another payment already."""
    now = clock.now()
    elsewhere = select(PaymentCredit.payment_id).where(
        PaymentCredit.provider == payment.provider, PaymentCredit.reference == credit.reference
    )
    if db.session.scalar(elsewhere) is not None:
        return False
    new = PaymentCredit(
        payment_id=payment.id,
        provider=payment.provider,
        reference=credit.reference,
        amount_minor=credit.amount.minor,
        currency=credit.amount.currency,
        stage=credit.stage,
        confirmations=credit.confirmations,
        evidence=_standing_facts({}, credit.evidence),
        first_seen_at=now,
        changed_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(new)
    except IntegrityError:  # it was counted for another payment in this very moment
        return False
    db.session.refresh(payment, ["credits"])
    note(
        payment.order, payment, now=credit.stage, why=f"{credit.amount} arrived: {credit.reference}"
    )
    return True


def _bring_up_to_date(payment: Payment, row: PaymentCredit, credit: Credit) -> bool:
    moved = row.stage is not credit.stage
    if moved:
        note(
            payment.order,
            payment,
            was=row.stage,
            now=credit.stage,
            why=f"{row.amount}: {row.reference}",
        )
    if not moved and row.confirmations == credit.confirmations and not credit.evidence:
        return False
    row.stage = credit.stage
    row.confirmations = credit.confirmations
    row.evidence = _standing_facts(row.evidence, credit.evidence)
    row.changed_at = clock.now()
    return moved


def _standing_facts(before: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """What is known of a credit, with what was told last; an empty fact is taken back."""
    return {name: fact for name, fact in {**before, **told}.items() if fact}


def _apply(payment: Payment, verdict: Verdict) -> None:
    """Turn a verdict into what the store does about it."""
    if verdict.is_overpaid and not payment.is_overpaid:
        note(payment.order, payment, why="more arrived than was due")
    payment.is_overpaid = verdict.is_overpaid
    payment.is_late = verdict.is_late
    payment.required_minor = verdict.required
    if verdict.status is payment.status:
        return
    was = payment.status
    payment.move_to(verdict.status, why=verdict.why)
    db.session.flush()
    checkpoint("status-changed")
    if was is PaymentStatus.PARTIAL:
        attention.underpaid_no_more(payment)
    if verdict.status in _CONSEQUENCES:
        _CONSEQUENCES[verdict.status](payment, verdict.why)


def _settled(payment: Payment, why: str) -> None:
    order = payment.order
    payment.settled_at = clock.now()
    others = [p for p in order.payments if p.id != payment.id]
    if order.status in {OrderStatus.PENDING, OrderStatus.EXPIRED}:
        orders.pay(order, why=f"{why} through {payment.provider}")
    elif order.is_paid and not any(p.status is PaymentStatus.SETTLED for p in others):
        fulfilment.restore(order, why="the money is back")
    else:
        order.paid_twice = order.paid_twice or order.is_paid
        attention.tell_owner(payment, why="money arrived for an order that needs none")
    for other in others:
        if other.status in {PaymentStatus.AWAITING, PaymentStatus.PARTIAL}:
            attention.underpaid_no_more(other)
            other.move_to(PaymentStatus.CANCELLED, why="another payment settled the order")
            schedule.plan(other)


def _conflicted(payment: Payment, why: str) -> None:
    order = payment.order
    if not any(p.status is PaymentStatus.SETTLED for p in order.payments):
        fulfilment.suspend(order, why=why)
    attention.tell_owner(payment, why=why)


def _partial(payment: Payment, _why: str) -> None:
    attention.underpaid(payment)


def _review(payment: Payment, why: str) -> None:
    attention.tell_owner(payment, why=why)
    orders.expire_if_abandoned(payment.order)


def _expired(payment: Payment, _why: str) -> None:
    orders.expire_if_abandoned(payment.order)


_CONSEQUENCES = {
    PaymentStatus.SETTLED: _settled,
    PaymentStatus.CONFLICTED: _conflicted,
    PaymentStatus.PARTIAL: _partial,
    PaymentStatus.REVIEW: _review,
    PaymentStatus.EXPIRED: _expired,
}


def _provider(provider_id: str) -> PaymentProvider:
    try:
        return wiring().providers[provider_id]
    except KeyError as error:
        raise UnknownProvider(provider_id) from error


# ── a person decides ─────────────────────────────────────────────────────────────────────────


def accept(payment_id: int, *, who: str, why: str) -> Payment:
    """Take what arrived for a payment in review, expired or cancelled as enough. Commits.

    Money that is only seen still has to settle.
    """
    payment = _lock(payment_id)
    payment.required_minor = payment.received.minor
    waits = any(credit.stage is Stage.SEEN for credit in payment.credits)
    status = PaymentStatus.SEEN if waits else PaymentStatus.SETTLED
    payment.move_to(status, why=why, who=who)
    db.session.flush()
    if not waits:
        _settled(payment, why)
    schedule.plan(payment)
    db.session.commit()
    return payment


# ── watching ─────────────────────────────────────────────────────────────────────────────────


def check_due(*, limit: int = BATCH) -> int:
    """Look at the payments whose time has come; say how many were seen. Commits."""
    with reading():  # a look without the write lock, since mostly there is nothing
        due = db.session.scalar(
            select(Payment.id).where(Payment.next_check_at <= clock.now()).limit(1)
        )
        db.session.rollback()
    if due is None:
        return 0
    ids = _claim_due(limit)
    db.session.commit()
    seen = set(refresh(ids))
    left_out = [id_ for id_ in ids if id_ not in seen]
    if left_out:
        _try_again(left_out, at=clock.now() + schedule.AFTER_FAILURE)
        db.session.commit()
    return len(seen)


def check_open() -> int:
    """Look at every open payment, due or not; say how many were seen. Commits."""
    with reading():
        ids = db.session.scalars(
            select(Payment.id).where(Payment.status.in_(OPEN)).order_by(Payment.id)
        ).all()
        db.session.rollback()
    return sum(len(refresh(ids[at : at + BATCH])) for at in range(0, len(ids), BATCH))


def _claim_due(limit: int) -> Sequence[int]:
    """Lease the payments that are due, so that no other worker looks at them meanwhile."""
    now = clock.now()
    due = (
        select(Payment.id)
        .where(Payment.next_check_at <= now)
        .order_by(Payment.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    claim = (
        update(Payment)
        .where(Payment.id.in_(due))
        .values(next_check_at=now + schedule.LEASE)
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    return list(db.session.scalars(claim))


def _try_again(ids: Sequence[int], *, at: datetime) -> None:
    db.session.execute(
        update(Payment)
        .where(Payment.id.in_(ids), Payment.next_check_at.is_not(None), Payment.next_check_at > at)
        .values(next_check_at=at)
        .execution_options(synchronize_session=False)
    )
