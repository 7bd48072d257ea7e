"""Opening a payment: a quote, a destination nobody had before, and the row that watches it.

No transaction is held while the provider is asked (docs/adr/0002).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from app import clock
from app.extensions import db
from app.models import (
    Order,
    OrderStatus,
    Payment,
    PaymentSequence,
    PaymentStatus,
)
from app.models.lifecycle import note
from app.models.payment import OPEN
from app.money import Money
from app.payments.base import (
    DestinationTaken,
    LineItem,
    PaymentIntent,
    PaymentProvider,
    PaymentRequest,
    ProviderUnavailable,
    Quote,
)
from app.services import schedule
from app.services.database import insert_once
from app.services.links import order_url
from app.wiring import settings, wiring

log = logging.getLogger(__name__)

DESTINATIONS_TO_TRY = 25  # numbers skipped at once when a restored database lags behind the chain


class UnknownProvider(Exception):
    """No such way to pay is offered."""


class OrderNotPayable(Exception):
    """The order is paid, cancelled or refunded: no money is due."""


def offered(provider_id: str) -> PaymentProvider:
    """The provider of this name; UnknownProvider when it is not offered."""
    try:
        return wiring().providers[provider_id]
    except KeyError as error:
        raise UnknownProvider(provider_id) from error


def open_payment(order_id: int, provider_id: str) -> Payment:
    """Open a payment for an order, or give the one that is open already. Commits.

    UnknownProvider, OrderNotPayable, RateUnavailable.
    """
    provider = offered(provider_id)
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
        required_minor=(request.due - tolerance(request.due, quote)).minor,
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


def tolerance(due: Money, quote: Quote) -> Money:
    """How much less than `due` is taken as paid: a percentage, at most a fixed sum in USD."""
    if quote.rate is None:  # what is charged exactly cannot fall short
        return Money(0, due.currency)
    config = settings()
    most = config.tolerance_limit.at_rate(quote.rate, into=due.currency)
    return min(due.share(config.tolerance_percent), most)
