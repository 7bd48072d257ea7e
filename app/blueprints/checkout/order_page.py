"""The order's page, which while nothing is paid is the payment page, and the receipt."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.blueprints import visitor
from app.blueprints.checkout import standing
from app.blueprints.checkout.blueprint import bp
from app.blueprints.checkout.standing import Standing
from app.models import Order
from app.services import links, offers, orders


@bp.get("/orders/<token>")
def order(token: str) -> ResponseReturnValue:
    found = orders.open_by_token(token, user=visitor.signed_in())
    return render_template("checkout/order.html", **facts(found, standing.of(found), token))


@bp.get("/orders/<token>/receipt")
def receipt(token: str) -> ResponseReturnValue:
    found = orders.open_by_token(token, user=visitor.signed_in())
    if found.paid_at is None:
        return redirect(url_for(".order", token=token), 303)
    return render_template("checkout/receipt.html", **facts(found, standing.of(found), token))


def facts(order: Order, now: Standing, token: str) -> dict[str, Any]:
    """What the order's templates are told."""
    payment = now.payment
    return {
        "order": order,
        "token": token,
        "standing": now,
        "payment": payment,
        "offers": offers.offers(order.total),
        "takes_proof": payment is not None and offers.takes_proof(payment.provider),
        "order_url": links.order_url(order),
        "downloads": [
            (entitlement, url_for("library.entitlement", token=links.token_of(entitlement)))
            for entitlement in order.entitlements
        ],
        "transaction_ids": standing.transaction_ids(payment) if payment is not None else [],
    }
