"""Orders: placed once, found by their link, expired when nobody pays."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from app import clock, tokens
from app.extensions import db
from app.models import LineItem, Order, OrderStatus, Payment, User
from app.models.lifecycle import note
from app.models.payment import OPEN
from app.money import Money
from app.services import fulfilment
from app.services.carts import FilledCart
from app.services.links import BelongsToAccount, give_token
from app.wiring import settings

log = logging.getLogger(__name__)

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is misread
EXPIRY_BATCH = 100


class EmptyCart(Exception):
    """Nothing to order."""


class PriceChanged(Exception):
    """The total is no longer what the buyer was shown; they are asked again."""


class NoSuchOrder(Exception):
    """No order opens with this link, or not for this visitor."""


def place(
    cart: FilledCart, *, email: str, user: User | None, key: str, shown_total: Money
) -> Order:
    """Order what is in the cart, once per `key`: asked again, it gives the same order.

    EmptyCart; PriceChanged when the cart's total differs from `shown_total`.
    """
    idempotency_key = hashlib.sha256(key.encode()).hexdigest()
    if (existing := _by_key(idempotency_key)) is not None:
        return existing
    if not cart.lines:
        raise EmptyCart
    if cart.total != shown_total or cart.missing:
        raise PriceChanged
    order = Order(
        number="S-" + "".join(secrets.choice(_ALPHABET) for _ in range(8)),
        user=user,
        email=email,
        status=OrderStatus.PENDING,
        total_minor=cart.total.minor,
        idempotency_key=idempotency_key,
        created_at=clock.now(),
        items=[
            LineItem(
                product_id=line.product_id,
                product_name=line.name,
                unit_price_minor=line.unit_price.minor,
                quantity=line.quantity,
            )
            for line in cart.lines
        ],
    )
    give_token(order)
    try:
        with db.session.begin_nested():
            db.session.add(order)
    except IntegrityError:  # the same button in another process, a moment ahead
        if (existing := _by_key(idempotency_key)) is None:
            raise
        return existing
    note(order, order, now=OrderStatus.PENDING, why="placed", who="buyer")
    if not order.total:
        pay(order, why="nothing to pay")
    return order


def pay(order: Order, *, why: str) -> None:
    """The order is paid: entitlements and the letter belong to the same transaction."""
    order.move_to(OrderStatus.PAID, why=why)
    order.paid_at = clock.now()
    fulfilment.fulfil(order)


def _by_key(idempotency_key: str) -> Order | None:
    return db.session.scalar(select(Order).where(Order.idempotency_key == idempotency_key))


def open_by_token(token: str, *, user: User | None) -> Order:
    """The order behind a link: a guest's link is enough, an account's opens for its owner only.

    NoSuchOrder; BelongsToAccount when nobody is signed in.
    """
    order = db.session.scalar(
        select(Order)
        .where(Order.token_hash == tokens.digest(token))
        .options(
            selectinload(Order.items),
            selectinload(Order.payments).selectinload(Payment.credits),
            selectinload(Order.entitlements),
        )
    )
    if order is None:
        raise NoSuchOrder
    if order.user_id is not None and user is None:
        raise BelongsToAccount
    if order.user_id is not None and user is not None and order.user_id != user.id:
        raise NoSuchOrder
    return order


def of_user(user: User) -> Sequence[Order]:
    """A user's orders, newest first."""
    return db.session.scalars(
        select(Order)
        .where(Order.user_id == user.id)
        .order_by(Order.id.desc())
        .limit(200)
        .options(selectinload(Order.items), selectinload(Order.entitlements))
    ).all()


def expire_if_abandoned(order: Order) -> None:
    """An order expires when the time is over and no payment of it is open."""
    if order.status is OrderStatus.PENDING and not any(p.status in OPEN for p in order.payments):
        order.move_to(OrderStatus.EXPIRED, why="not paid in time")


def expire_abandoned() -> int:
    """Expire old orders that nobody is paying, a batch at a time; say how many."""
    cutoff = clock.now() - settings().payment_window
    ids = db.session.scalars(
        select(Order.id)
        .where(
            Order.status == OrderStatus.PENDING,
            Order.created_at < cutoff,
            ~Order.payments.any(Payment.status.in_(OPEN)),
        )
        .order_by(Order.id)
        .limit(EXPIRY_BATCH)
    ).all()
    for id_ in ids:
        expire_if_abandoned(
            db.session.get_one(Order, id_, with_for_update=True, populate_existing=True)
        )
    return len(ids)
