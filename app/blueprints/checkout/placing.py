"""The page that turns a cart into an order."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.blueprints import limits, visitor
from app.blueprints.cart import keeping
from app.blueprints.checkout.blueprint import bp
from app.blueprints.checkout.forms import GuestForm, OrderForm
from app.blueprints.checkout.paying import open_and_go
from app.extensions import db, limiter
from app.services import carts, links, offers, orders
from app.services.orders import EmptyCart, PriceChanged


@bp.get("/checkout")
def start() -> ResponseReturnValue:
    if not carts.fill(keeping.load()).lines:
        return redirect(url_for("cart.show"), 303)
    return _page(_form())


@bp.post("/checkout")
@limiter.limit(limits.ORDERS, deduct_when=limits.succeeded)
def place() -> ResponseReturnValue:
    form = _form()
    key = keeping.order_key(form.key.data or "")
    if key is None:  # a session without a cart
        return redirect(url_for("cart.show"), 303)
    if not form.validate() or form.suggestion:
        return _page(form), 422
    user = visitor.signed_in()
    try:
        order = orders.place(
            carts.fill(keeping.load()),
            email=user.email if user else form["email"].data,
            user=user,
            key=key,
            shown_total=form.shown_total,
        )
    except EmptyCart:
        return redirect(url_for("cart.show"), 303)
    except PriceChanged:
        return _page(form, has_changed=True), 409
    order_id, order_page = order.id, url_for(".order", token=links.token_of(order))
    db.session.commit()
    keeping.empty()
    only = offers.only_one()
    return open_and_go(order_id, only, order_page) if only else redirect(order_page, 303)


def _form() -> OrderForm:
    return OrderForm() if visitor.signed_in() else GuestForm()


def _page(form: OrderForm, *, has_changed: bool = False) -> str:
    """The form with what was typed, beside the cart as it is and costs now."""
    cart = keeping.filled()
    form.total.data = str(cart.total.minor)
    return render_template(
        "checkout/start.html",
        form=form,
        cart=cart,
        about=offers.approximate(cart.total),
        has_changed=has_changed,
        typed_email=request.form.get("email", ""),
    )
