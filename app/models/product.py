"""What is for sale."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base
from app.money import Money, usd

if TYPE_CHECKING:
    from app.models.release import Release

product_tags = Table(
    "product_tags",
    Base.metadata,
    Column("product_id", ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Product(Base):
    """Something a buyer can get; its files belong to its releases."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        Index("ix_products_is_active_position", "is_active", "position", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(Text, default="")  # Markdown
    price_minor: Mapped[int]  # US cents
    is_active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)  # smaller comes first in the catalogue
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    pictures: Mapped[list[Picture]] = relationship(
        back_populates="product", order_by="Picture.position", cascade="all, delete-orphan"
    )
    releases: Mapped[list[Release]] = relationship(
        back_populates="product", order_by="Release.id", cascade="all, delete-orphan"
    )
    tags: Mapped[list[Tag]] = relationship(
        secondary=product_tags, back_populates="products", order_by="Tag.slug"
    )

    @property
    def price(self) -> Money:
        return usd(self.price_minor)


class Picture(Base):
    """A public picture of a product, kept as WebP in two sizes under the hash of its content."""

    __tablename__ = "pictures"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id", ondelete="CASCADE"), index=True
    )
    key: Mapped[str] = mapped_column(index=True)  # of the large one, in the picture storage
    thumbnail_key: Mapped[str] = mapped_column(index=True)
    alt: Mapped[str] = mapped_column(default="")
    width: Mapped[int]  # pixels, of the large one
    height: Mapped[int]
    position: Mapped[int] = mapped_column(default=0)

    product: Mapped[Product] = relationship(back_populates="pictures")


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]

    products: Mapped[list[Product]] = relationship(secondary=product_tags, back_populates="tags")


class CatalogVersion(Base):
    """One row, raised by every change of what visitors see; kept pages are stamped with it."""

    __tablename__ = "catalog_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(default=0)
