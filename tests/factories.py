"""Rows for tests, as the store itself would have made them."""

from __future__ import annotations

import io
import itertools

from app import clock
from app.extensions import db
from app.models import Order, Product, Release, ReleaseFile, Tag, User
from app.services import accounts, orders
from app.services.carts import Cart, fill
from app.wiring import wiring

_numbers = itertools.count(1)

PASSWORD = "correct horse battery"


def product(
    *,
    name: str | None = None,
    price: int = 1900,
    content: bytes | None = None,
    is_active: bool = True,
    tags: tuple[str, ...] = (),
    file_name: str | None = None,
    media_type: str = "application/zip",
) -> Product:
    """A product with one release of one stored file; `price` in cents."""
    number = next(_numbers)
    now = clock.now()
    stored = wiring().files.put(io.BytesIO(content or f"file {number}".encode()), limit=10**9)
    made = Product(
        slug=f"product-{number}",
        name=name or f"Product {number}",
        summary="A thing of beauty.",
        description="**Bold** and bright.",
        price_minor=price,
        is_active=is_active,
        position=number,
        created_at=now,
        updated_at=now,
        tags=[_tag(slug) for slug in tags],
        releases=[
            Release(
                version="1.0",
                notes="",
                released_at=now,
                files=[
                    ReleaseFile(
                        name=file_name or f"product-{number}.zip",
                        sha256=stored.key,
                        size=stored.size,
                        media_type=media_type,
                        facts={"entries": 3},
                    )
                ],
            )
        ],
    )
    db.session.add(made)
    db.session.commit()
    return made


def _tag(slug: str) -> Tag:
    found = db.session.query(Tag).filter_by(slug=slug).one_or_none()
    return found or Tag(slug=slug, name=slug.title())


def user(*, email: str | None = None, is_admin: bool = False) -> User:
    """An account whose password is `PASSWORD`."""
    email = email or f"user{next(_numbers)}@example.org"
    made = (accounts.create_admin if is_admin else accounts.register)(email, PASSWORD)
    db.session.commit()
    return made


def order(
    *products: Product,
    email: str = "buyer@example.org",
    user: User | None = None,
    quantity: int = 1,
) -> Order:
    """A placed order for these products (one new product when none is named)."""
    wanted = products or (product(),)
    cart = fill(Cart({made.id: quantity for made in wanted}))
    made = orders.place(
        cart,
        email=user.email if user else email,
        user=user,
        key=f"key-{next(_numbers)}",
        shown_total=cart.total,
    )
    db.session.commit()
    return made
