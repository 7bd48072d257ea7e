"""Orders placed and paid in this process, through the store's own services."""

from __future__ import annotations

import secrets

from app import clock
from app.extensions import db
from app.models import Payment
from app.money import bsv
from app.payments.base import Credit, Observation, Stage
from app.services import openings, orders
from app.services.carts import Cart, fill


def opened(product_id: int, provider_id: str) -> Payment:
    """The payment of a new order, waiting for its money."""
    cart = fill(Cart({product_id: 1}))
    order = orders.place(
        cart,
        email="buyer@example.org",
        user=None,
        key=secrets.token_hex(),
        shown_total=cart.total,
    )
    order_id = order.id
    db.session.commit()
    return openings.open_payment(order_id, provider_id)


def all_of_it(payment: Payment) -> Observation:
    """What a provider says that sees the whole amount, for good."""
    reference = f"{secrets.token_hex(32)}:0"
    credit = Credit(reference=reference, amount=bsv(payment.due_minor), stage=Stage.SETTLED)
    return Observation(payment_id=payment.id, credits=[credit], checked_at=clock.now())
