"""The cart's page and what its buttons do."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.blueprints.cart import keeping
from app.extensions import reading
from app.marks import visitor_form
from app.services import carts, offers
from app.services.carts import BadQuantity, CartFull

bp = Blueprint("cart", __name__)


@bp.get("/cart")
def show() -> ResponseReturnValue:
    return _page()


@bp.post("/cart/items")
@visitor_form
def add() -> ResponseReturnValue:
    cart = keeping.load()
    with reading():  # nothing is written but the cookie
        product_id = carts.product_id(request.form.get("product", ""))
    try:
        quantity = carts.parse_quantity(request.form.get("quantity", "1"))
        keeping.keep(cart.with_more(product_id, quantity))
    except BadQuantity as error:
        return _page(error=str(error)), 422
    except CartFull:
        return _page(error=f"A cart holds {carts.MAX_LINES} different products at most."), 422
    return redirect(url_for(".show"), 303)


@bp.post("/cart/items/<int:product_id>")
def change(product_id: int) -> ResponseReturnValue:
    cart, typed = keeping.load(), request.form.get("quantity", "")
    try:
        quantity = carts.parse_quantity(typed)
    except BadQuantity as error:
        return _page(wrong=(product_id, typed, str(error))), 422
    if product_id in cart.quantities:
        keeping.keep(cart.with_quantity(product_id, quantity))
    return redirect(url_for(".show"), 303)


@bp.post("/cart/items/<int:product_id>/remove")
def remove(product_id: int) -> ResponseReturnValue:
    keeping.keep(keeping.load().with_quantity(product_id, 0))
    return redirect(url_for(".show"), 303)


def _page(*, error: str | None = None, wrong: tuple[int, str, str] | None = None) -> str:
    """The cart as it is now; `wrong` is a product's id, what was typed for it and why not."""
    cart = keeping.filled()
    return render_template(
        "cart/show.html",
        cart=cart,
        about=offers.approximate(cart.total),
        most=carts.MAX_QUANTITY,
        error=error,
        wrong=wrong,
    )
