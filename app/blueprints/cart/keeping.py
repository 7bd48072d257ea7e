"""The cart as the session keeps it."""

from __future__ import annotations

import secrets

from flask import session

from app.services import carts
from app.services.carts import Cart, FilledCart

CART, CART_ID = "cart", "cart_id"


def load() -> Cart:
    """This visitor's cart; empty when the session holds none, or one of another version."""
    return Cart.load(session.get(CART))


def keep(cart: Cart) -> None:
    """Put the cart into the session, and give the session the id that its orders are keyed by."""
    session.permanent = True
    session.setdefault(CART_ID, secrets.token_urlsafe(16))
    session[CART] = cart.dump()


def filled() -> FilledCart:
    """The cart with what its products cost now; those no longer for sale are told of once."""
    found = carts.fill(load())
    if found.missing:
        keep(Cart({line.product_id: line.quantity for line in found.lines}))
    return found


def empty() -> None:
    """Forget what was in the cart; its id stays, so that a repeated order is recognised."""
    session.pop(CART, None)


def order_key(form_key: str) -> str | None:
    """What one press of one form is known by: worth nothing in anybody else's session."""
    cart_id = session.get(CART_ID)
    return f"{cart_id}|{form_key}" if isinstance(cart_id, str) and form_key else None
