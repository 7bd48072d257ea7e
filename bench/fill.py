"""Rows by the thousand, written in bulk: something to sell, and a past."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import insert, select

from app import clock, create_app
from app.extensions import db
from app.models import (
    Entitlement,
    EntitlementStatus,
    Event,
    LineItem,
    Order,
    OrderStatus,
    Payment,
    PaymentCredit,
    PaymentStatus,
    Picture,
    Product,
    Release,
    ReleaseFile,
)
from app.money import Currency
from app.payments.base import PaymentProvider, Stage
from app.services import catalog_version
from app.wiring import wiring
from bench.place import Place
from config import Config

PRICE = 1900
SATOSHIS = 76_000_000
FILE_BYTES = 1_000_000
STEP = 5_000
Rows = list[dict[str, Any]]


@contextmanager
def inside(at: Place, *, providers: Sequence[PaymentProvider] = ()) -> Iterator[Flask]:
    """The store in this process, with a context for its services."""
    app = create_app(Config.from_env(at.environment), providers=providers)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def products(count: int) -> list[str]:
    """Put so many products on sale, all with the same file; their addresses."""
    now = clock.now()
    stored = wiring().files.put(io.BytesIO(secrets.token_bytes(FILE_BYTES)), limit=FILE_BYTES)
    slugs = [f"design-{number}" for number in range(count)]
    _write(
        Product,
        [
            {
                "slug": slug,
                "name": f"Design number {position}",
                "summary": "A drawing for a shirt, in black and gold.",
                "description": "**Print it** on anything.\n\n- 4,500 pixels wide\n- no background",
                "price_minor": PRICE,
                "position": position,
                "created_at": now,
                "updated_at": now,
            }
            for position, slug in enumerate(slugs)
        ],
    )
    ids = _ids(Product.id)
    key = secrets.token_hex(32)
    picture = {"key": key, "thumbnail_key": key, "alt": "A shirt", "width": 1200, "height": 1200}
    _write(Picture, [{"product_id": id_, **picture} for id_ in ids])
    _write(Release, [{"product_id": id_, "version": "1.0", "released_at": now} for id_ in ids])
    file = {
        "sha256": stored.key,
        "size": stored.size,
        "media_type": "application/zip",
        "facts": {"entries": 3},
    }
    _write(
        ReleaseFile,
        [{"release_id": id_, "name": "design.zip", **file} for id_ in _ids(Release.id)],
    )
    catalog_version.raise_version(db.session())
    db.session.commit()
    return slugs


def past_orders(count: int) -> None:
    """Let so many orders have been placed and paid, a minute apart."""
    product_id = _ids(Product.id)[0]
    for begin in range(0, count, STEP):
        moments = [
            clock.now() - timedelta(days=10, minutes=number)
            for number in range(begin, min(begin + STEP, count))
        ]
        _past(moments, product_id)
        db.session.commit()


def _past(moments: Sequence[datetime], product_id: int) -> None:
    newest = max(_ids(Order.id), default=0)
    _write(Order, [_order(at) for at in moments])
    orders = list(zip(_ids(Order.id, above=newest), moments, strict=True))
    item = {
        "product_id": product_id,
        "product_name": "Design",
        "unit_price_minor": PRICE,
        "quantity": 1,
    }
    before = max(_ids(LineItem.id), default=0)
    _write(LineItem, [{"order_id": id_, **item} for id_, _ in orders])
    items = _ids(LineItem.id, above=before)
    before = max(_ids(Payment.id), default=0)
    _write(Payment, [_payment(id_, at) for id_, at in orders])
    payments = _ids(Payment.id, above=before)
    _write(
        PaymentCredit,
        [_credit(id_, at) for id_, (_, at) in zip(payments, orders, strict=True)],
    )
    _write(
        Entitlement,
        [
            _entitlement(id_, item_id, product_id, at)
            for (id_, at), item_id in zip(orders, items, strict=True)
        ],
    )
    event = {"subject": "order", "why": "paid in full", "who": "store"}
    _write(Event, [{"order_id": id_, "at": at, **event} for id_, at in orders for _ in range(3)])


def _order(at: datetime) -> dict[str, Any]:
    return {
        "number": f"S-{secrets.token_hex(6)}",
        "email": f"{secrets.token_hex(4)}@example.org",
        "status": OrderStatus.PAID,
        "total_minor": PRICE,
        "idempotency_key": secrets.token_hex(16),
        "token_nonce": secrets.token_hex(8),
        "token_hash": secrets.token_hex(32),
        "created_at": at,
        "paid_at": at,
    }


def _payment(order_id: int, at: datetime) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "provider": "onchain",
        "status": PaymentStatus.SETTLED,
        "reference": secrets.token_hex(17),
        "details": {},
        "due_minor": SATOSHIS,
        "due_currency": Currency.BSV,
        "required_minor": SATOSHIS,
        "total_minor": PRICE,
        "rate_sources": {},
        "created_at": at,
        "expires_at": at + timedelta(hours=2),
        "watch_until": at + timedelta(days=7),
        "settled_at": at,
    }


def _credit(payment_id: int, at: datetime) -> dict[str, Any]:
    return {
        "payment_id": payment_id,
        "provider": "onchain",
        "reference": f"{secrets.token_hex(32)}:0",
        "amount_minor": SATOSHIS,
        "currency": Currency.BSV,
        "stage": Stage.SETTLED,
        "confirmations": 6,
        "evidence": {},
        "first_seen_at": at,
        "changed_at": at,
    }


def _entitlement(order_id: int, item_id: int, product_id: int, at: datetime) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "line_item_id": item_id,
        "product_id": product_id,
        "status": EntitlementStatus.ACTIVE,
        "token_nonce": secrets.token_hex(8),
        "token_hash": secrets.token_hex(32),
        "download_limit": 5,
        "created_at": at,
        "expires_at": at + timedelta(days=30),
    }


def _write(model: Any, rows: Rows) -> None:
    db.session.execute(insert(model), rows)


def _ids(column: Any, *, above: int = 0) -> list[int]:
    return list(db.session.scalars(select(column).where(column > above).order_by(column)))
