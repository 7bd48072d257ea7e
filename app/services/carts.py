"""What a visitor has gathered, kept in the session cookie as {product id: quantity}."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.extensions import db
from app.models import Picture, Product
from app.money import Money, usd

VERSION = 1  # of the shape kept in the cookie; any other is an empty cart
MAX_QUANTITY = 9  # licences of one product
MAX_LINES = 50  # keeps the cookie well below the 4,096 bytes a browser takes


class BadQuantity(ValueError):
    """Not a number of licences the store sells."""


class CartFull(Exception):
    """More different products than a cart holds."""


class UnknownProduct(Exception):
    """No such product is for sale."""


@dataclass(frozen=True, slots=True)
class Cart:
    quantities: Mapping[int, int] = field(default_factory=dict)  # product id → licences

    @classmethod
    def load(cls, kept: Any) -> Cart:
        """The cart in a session, or an empty one if it is of another version or not a cart."""
        if (
            not isinstance(kept, dict)
            or kept.get("v") != VERSION
            or not isinstance(kept.get("items"), dict)
        ):
            return cls()
        quantities: dict[int, int] = {}
        for key, quantity in list(kept["items"].items())[:MAX_LINES]:
            if isinstance(key, str) and key.isascii() and key.isdigit() and _is_quantity(quantity):
                quantities[int(key[:18])] = quantity
        return cls(quantities)

    def dump(self) -> dict[str, Any]:
        """What the session keeps."""
        return {
            "v": VERSION,
            "items": {str(id_): quantity for id_, quantity in self.quantities.items()},
        }

    def with_quantity(self, product_id: int, quantity: int) -> Cart:
        """The cart with this many licences of a product; none takes it out. CartFull."""
        quantities = dict(self.quantities)
        quantities.pop(product_id, None) if quantity == 0 else quantities.update(
            {product_id: quantity}
        )
        if len(quantities) > MAX_LINES:
            raise CartFull
        return Cart(quantities)

    def with_more(self, product_id: int, quantity: int) -> Cart:
        """The cart with more licences of a product, up to the most one order takes."""
        return self.with_quantity(
            product_id, min(self.quantities.get(product_id, 0) + quantity, MAX_QUANTITY)
        )

    @property
    def count(self) -> int:
        return sum(self.quantities.values())


def _is_quantity(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_QUANTITY


def parse_quantity(text: str | None) -> int:
    """A number of licences out of a form; BadQuantity in the reader's words."""
    text = (text or "").strip()
    if not (
        text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_QUANTITY
    ):
        raise BadQuantity(f"Choose a whole number from 1 to {MAX_QUANTITY}.")
    return int(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class CartLine:
    product_id: int
    slug: str
    name: str
    unit_price: Money
    quantity: int
    thumbnail_key: str | None

    @property
    def subtotal(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class FilledCart:
    """A cart with what its products are called and cost now."""

    lines: list[CartLine]
    missing: int  # products that are no longer for sale

    @property
    def total(self) -> Money:
        return sum((line.subtotal for line in self.lines), usd(0))


_first_picture = (
    select(Picture.thumbnail_key)
    .where(Picture.product_id == Product.id)
    .order_by(Picture.position)
    .limit(1)
    .scalar_subquery()
)
_columns = select(
    Product.id, Product.slug, Product.name, Product.price_minor, _first_picture
).where(Product.is_active)


def fill(cart: Cart) -> FilledCart:
    """Look the cart's products up, in the order they were put in, in one query."""
    if not cart.quantities:
        return FilledCart([], 0)
    found = {
        row[0]: row for row in db.session.execute(_columns.where(Product.id.in_(cart.quantities)))
    }
    lines = [
        CartLine(
            product_id=id_,
            slug=found[id_][1],
            name=found[id_][2],
            unit_price=usd(found[id_][3]),
            quantity=quantity,
            thumbnail_key=found[id_][4],
        )
        for id_, quantity in cart.quantities.items()
        if id_ in found
    ]
    return FilledCart(lines, len(cart.quantities) - len(lines))


def product_id(slug: str) -> int:
    """The id of a product that is for sale; UnknownProduct."""
    found = db.session.scalar(select(Product.id).where(Product.slug == slug, Product.is_active))
    if found is None:
        raise UnknownProduct(slug)
    return found
