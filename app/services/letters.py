"""What each letter is told: rows looked up by the ids an outgoing e-mail holds, links made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_mail import Message

from app.extensions import db
from app.mail.render import render
from app.models import OutgoingEmail, Payment
from app.services.links import entitlement_url, order_url
from app.wiring import settings


def compose(email: OutgoingEmail) -> Message:
    """The letter, ready to send."""
    context = {"store_name": settings().store_name, **_CONTEXTS[email.letter](email)}
    return render(email.letter, to=email.to, message_id=email.message_id, context=context)


def _download(email: OutgoingEmail) -> Mapping[str, Any]:
    order = _order(email)
    return {
        "order": order,
        "order_url": order_url(order),
        "links": [
            (entitlement, entitlement_url(entitlement)) for entitlement in order.entitlements
        ],
    }


def _payment(email: OutgoingEmail) -> Mapping[str, Any]:
    order = _order(email)
    payment = db.session.get_one(Payment, email.facts["payment_id"])
    return {
        "order": order,
        "payment": payment,
        "order_url": order_url(order),
        "why": email.facts.get("why", ""),
    }


def _order(email: OutgoingEmail) -> Any:
    if email.order is None:
        raise LookupError("the order of this letter is gone")
    return email.order


_CONTEXTS: Mapping[str, Callable[[OutgoingEmail], Mapping[str, Any]]] = {
    "download": _download,
    "underpaid": _payment,
    "owner_attention": _payment,
}
