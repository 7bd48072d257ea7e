"""Opening a payment, and asking how it goes."""

from __future__ import annotations

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.blueprints import visitor
from app.blueprints.checkout import standing
from app.blueprints.checkout.blueprint import bp
from app.blueprints.checkout.order_page import facts
from app.blueprints.checkout.standing import Standing
from app.extensions import db
from app.models import Order
from app.payments.base import ProviderError
from app.services import openings, orders, payments
from app.services.openings import OrderNotPayable
from app.template_tools import money

STOP_POLLING = 286  # htmx reads this as "no more"


@bp.post("/orders/<token>/pay/<provider_id>")
def pay(token: str, provider_id: str) -> ResponseReturnValue:
    order = orders.open_by_token(token, user=visitor.signed_in())
    return open_and_go(order.id, provider_id, url_for(".order", token=token))


def open_and_go(order_id: int, provider_id: str, order_page: str) -> ResponseReturnValue:
    """Open a payment and lead to where it is made; to the order, if it cannot be opened."""
    try:
        payment = openings.open_payment(order_id, provider_id)
    except OrderNotPayable:
        return redirect(order_page, 303)
    except ProviderError:
        flash("We cannot give you a price to pay at this moment. Your order is kept.", "warning")
        return redirect(order_page, 303)
    return redirect(payment.redirect_url or order_page, 303)


@bp.get("/orders/<token>/status")
def status(token: str) -> ResponseReturnValue:
    order = orders.open_by_token(token, user=visitor.signed_in())
    now = standing.of(order)
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        response = jsonify(_summary(order, now))
    elif request.headers.get("HX-Request") and now.is_final:
        response = make_response("", STOP_POLLING, {"HX-Refresh": "true"})
    elif request.args.get("seen") == now.version:
        return "", 204
    else:
        page = render_template("checkout/_status.html", **facts(order, now, token))
        response = make_response(page)
    response.set_etag(now.version)
    return response.make_conditional(request)


@bp.post("/orders/<token>/watching")
def watching(token: str) -> ResponseReturnValue:
    _ask_again(token)
    return "", 204


@bp.post("/orders/<token>/check")
def check(token: str) -> ResponseReturnValue:
    _ask_again(token)
    return redirect(url_for(".order", token=token), 303)


def _ask_again(token: str) -> None:
    payment = standing.of(orders.open_by_token(token, user=visitor.signed_in())).payment
    if payment is not None:
        payments.ask_again(payment)
        db.session.commit()


def _summary(order: Order, now: Standing) -> dict[str, object]:
    summary: dict[str, object] = {
        "order": {"number": order.number, "status": order.status, "total": money(order.total)},
        "state": now.state,
        "payment": None,
    }
    if (payment := now.payment) is not None:
        amounts = {"due": payment.due, "received": payment.received, "missing": payment.missing}
        summary["payment"] = {
            "status": payment.status,
            "currency": payment.due_currency,
            "expires_at": payment.expires_at.isoformat(),
            **{f"{name}_minor": amount.minor for name, amount in amounts.items()},
            **{name: money(amount) for name, amount in amounts.items()},
        }
    return summary
