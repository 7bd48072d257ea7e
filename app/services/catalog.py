"""What visitors see of the products: lists, searches, one product, and when any of it changed.

Pages read columns, not entities, through statements that are built once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, or_, select

from app.extensions import db
from app.models import Picture, Product, Release, ReleaseFile, Tag
from app.models.product import product_tags
from app.money import Money, usd
from app.services import files

PER_PAGE = 24
LONGEST_SEARCH, MOST_WORDS = 100, 6
MOST_TAGS = 40


class ProductNotFound(Exception):
    """No such product is for sale."""


class TagNotFound(Exception):
    """No product on sale carries such a tag."""


class PageNotFound(Exception):
    """The list is shorter than that."""


@dataclass(frozen=True, slots=True)
class Card:
    """One product of a list."""

    slug: str
    name: str
    summary: str
    price: Money
    picture_key: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list of products."""

    cards: Sequence[Card]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Label:
    """A tag as pages show it."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class PictureView:
    key: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class FileView:
    """One file a buyer will get."""

    name: str
    kind: str  # "PNG"
    size: int  # bytes
    extent: str  # "4500 × 5400 pixels", "48 pages", or nothing


@dataclass(frozen=True, slots=True)
class ProductView:
    """All that a product's page shows."""

    slug: str
    name: str
    summary: str
    description: str  # Markdown
    price: Money
    updated_at: datetime
    pictures: Sequence[PictureView]
    tags: Sequence[Label]
    files: Sequence[FileView]
    version: str | None  # of the newest release
    released_at: datetime | None


_first_picture = (
    select(Picture.thumbnail_key)
    .where(Picture.product_id == Product.id)
    .order_by(Picture.position, Picture.id)
    .limit(1)
    .scalar_subquery()
)
_labels = (
    select(Tag.slug, Tag.name)
    .where(Tag.products.any(Product.is_active))
    .order_by(Tag.name)
    .limit(MOST_TAGS)
)
_label = select(Tag.name).where(Tag.slug == bindparam("slug"), Tag.products.any(Product.is_active))
_product = select(
    Product.id,
    Product.slug,
    Product.name,
    Product.summary,
    Product.description,
    Product.price_minor,
    Product.updated_at,
).where(Product.slug == bindparam("slug"), Product.is_active)
_pictures = (
    select(Picture.key, Picture.alt, Picture.width, Picture.height)
    .where(Picture.product_id == bindparam("id"))
    .order_by(Picture.position, Picture.id)
)
_tags = (
    select(Tag.slug, Tag.name)
    .join(product_tags)
    .where(product_tags.c.product_id == bindparam("id"))
    .order_by(Tag.name)
)
_newest = select(func.max(Release.id)).where(Release.product_id == bindparam("id"))
_files = (
    select(
        Release.version,
        Release.released_at,
        ReleaseFile.name,
        ReleaseFile.media_type,
        ReleaseFile.size,
        ReleaseFile.facts,
    )
    .join(ReleaseFile, ReleaseFile.release_id == Release.id)
    .where(Release.id == _newest.scalar_subquery())
    .order_by(ReleaseFile.id)
)
_picture = select(Picture.id).where(
    or_(Picture.key == bindparam("key"), Picture.thumbnail_key == bindparam("key"))
)
_addresses = select(Product.slug, Product.updated_at).where(Product.is_active).order_by(Product.id)
_kinds = {kind.media_type: kind.label for kind in files.KINDS.values()}


def search(text: str, *, page: int = 1) -> Listing:
    """The products that hold every one of these words; all of them when there is none."""
    words = text.split()[:MOST_WORDS]
    values: dict[str, Any] = {
        f"word_{at}": f"%{_literally(word)}%" for at, word in enumerate(words)
    }
    return _listing(len(words), tagged=False, values=values, page=page)


def tagged(slug: str, *, page: int = 1) -> tuple[str, Listing]:
    """The name of a tag and the products that carry it; TagNotFound."""
    name = db.session.scalar(_label, {"slug": slug})
    if name is None:
        raise TagNotFound(slug)
    return name, _listing(0, tagged=True, values={"slug": slug}, page=page)


def tags() -> Sequence[Label]:
    """The tags of products on sale."""
    return [Label(*row) for row in db.session.execute(_labels)]


def product(slug: str) -> ProductView:
    """A product on sale; ProductNotFound."""
    row = db.session.execute(_product, {"slug": slug}).one_or_none()
    if row is None:
        raise ProductNotFound(slug)
    key = {"id": row.id}
    released = db.session.execute(_files, key).all()
    return ProductView(
        slug=row.slug,
        name=row.name,
        summary=row.summary,
        description=row.description,
        price=usd(row.price_minor),
        updated_at=row.updated_at,
        pictures=[PictureView(*picture) for picture in db.session.execute(_pictures, key)],
        tags=[Label(*tag) for tag in db.session.execute(_tags, key)],
        files=[file_view(file) for file in released],
        version=released[0].version if released else None,
        released_at=released[0].released_at if released else None,
    )


def has_picture(key: str) -> bool:
    """Whether this is the key of a product's public picture."""
    return db.session.execute(_picture, {"key": key}).first() is not None


def addresses() -> Sequence[tuple[str, datetime]]:
    """The slug of every product on sale and when it changed."""
    return [(slug, changed) for slug, changed in db.session.execute(_addresses)]


def file_view(file: Any) -> FileView:
    """A file of a release, as pages show it."""
    return FileView(file.name, _kinds.get(file.media_type, "File"), file.size, extent(file.facts))


def extent(facts: Any) -> str:
    """How much is in a file, in its own measure."""
    match facts:
        case {"width": int(width), "height": int(height)}:
            return f"{width} × {height} pixels"
        case {"pages": int(count)}:
            return f"{count} page{'' if count == 1 else 's'}"
        case {"entries": int(count)}:
            return f"{count} file{'' if count == 1 else 's'} inside"
    return ""


def _listing(words: int, *, tagged: bool, values: Mapping[str, Any], page: int) -> Listing:
    rows, count = _statements(words, tagged)
    total = db.session.scalar(count, values) or 0
    pages = max(1, -(-total // PER_PAGE))
    if not 1 <= page <= pages:
        raise PageNotFound
    found = db.session.execute(rows, {**values, "skip": (page - 1) * PER_PAGE})
    cards = [
        Card(slug, name, summary, usd(cents), key) for slug, name, summary, cents, key in found
    ]
    return Listing(cards, total, page, pages)


@lru_cache(maxsize=2 * (MOST_WORDS + 1))
def _statements(words: int, tagged: bool) -> tuple[Select[Any], Select[Any]]:
    """One page of products, and how many there are, for so many words."""
    wanted: list[ColumnElement[bool]] = [Product.is_active.is_(True)]
    wanted += [_holds(f"word_{at}") for at in range(words)]
    if tagged:
        wanted.append(Product.tags.any(Tag.slug == bindparam("slug")))
    rows = (
        select(Product.slug, Product.name, Product.summary, Product.price_minor, _first_picture)
        .where(*wanted)
        .order_by(Product.position, Product.id)
        .limit(PER_PAGE)
        .offset(bindparam("skip"))
    )
    return rows, select(func.count()).select_from(Product).where(*wanted)


def _holds(word: str) -> ColumnElement[bool]:
    value: BindParameter[str] = bindparam(word)
    texts = (Product.name, Product.summary, Product.description)
    return or_(
        *(text.ilike(value, escape="\\") for text in texts),
        Product.tags.any(Tag.name.ilike(value, escape="\\")),
    )


def _literally(word: str) -> str:
    """The word with LIKE's own characters taken as they are."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
