"""Downloadable versions of products."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base
from app.models.product import Product


class Release(Base):
    """One version of a product; the newest is what links lead to."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("product_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id", ondelete="CASCADE"), index=True
    )
    version: Mapped[str]
    notes: Mapped[str] = mapped_column(Text, default="")
    released_at: Mapped[datetime]

    product: Mapped[Product] = relationship(back_populates="releases")
    files: Mapped[list[ReleaseFile]] = relationship(
        back_populates="release", order_by="ReleaseFile.id", cascade="all, delete-orphan"
    )


class ReleaseFile(Base):
    """One file of a release, kept in the private storage under the hash of its content."""

    __tablename__ = "release_files"
    __table_args__ = (CheckConstraint("size > 0", name="size_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[int] = mapped_column(
        ForeignKey("releases.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]  # what the buyer's file is called
    sha256: Mapped[str] = mapped_column(index=True)  # hex; also its key in the storage
    size: Mapped[int]  # bytes
    media_type: Mapped[str]
    facts: Mapped[Mapping[str, Any]]  # {"width": …, "height": …} | {"pages": …} | {"entries": …}

    release: Mapped[Release] = relationship(back_populates="files")
