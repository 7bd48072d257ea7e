"""Granting what was paid for: entitlements and their letter, in one transaction."""

from __future__ import annotations

from datetime import timedelta

from app import clock
from app.checkpoints import checkpoint
from app.extensions import db
from app.models import Entitlement, EntitlementStatus, Order
from app.models.lifecycle import note
from app.services import outbox
from app.services.links import give_token
from app.wiring import settings


def fulfil(order: Order) -> None:
    """Give every line item its entitlement and queue one letter; repeating it changes nothing."""
    config = settings()
    now = clock.now()
    for item in order.items:
        if item.entitlement is not None:
            continue
        entitlement = Entitlement(
            line_item_id=item.id,
            product_id=item.product_id,
            status=EntitlementStatus.ACTIVE,
            downloads_used=0,
            download_limit=config.download_limit * item.quantity,
            created_at=now,
            expires_at=now + timedelta(days=config.download_days),
        )
        give_token(entitlement)
        order.entitlements.append(entitlement)
        db.session.flush()
        db.session.expire(item, ["entitlement"])
        note(order, entitlement, now=EntitlementStatus.ACTIVE, why="paid for")
        checkpoint("entitlement-written")
    outbox.queue("download", to=order.email, key=f"download-{order.id}", order=order)


def suspend(order: Order, *, why: str) -> None:
    """Close the order's downloads until the money is back."""
    for entitlement in order.entitlements:
        if entitlement.status is EntitlementStatus.ACTIVE:
            entitlement.move_to(EntitlementStatus.SUSPENDED, why=why)


def restore(order: Order, *, why: str) -> None:
    """Open what was suspended."""
    for entitlement in order.entitlements:
        if entitlement.status is EntitlementStatus.SUSPENDED:
            entitlement.move_to(EntitlementStatus.ACTIVE, why=why)
