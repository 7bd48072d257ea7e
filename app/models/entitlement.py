"""The lasting right to download what was bought."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, stored_by_value
from app.models.lifecycle import transition

if TYPE_CHECKING:
    from app.models.order import LineItem, Order
    from app.models.product import Product
    from app.models.release import ReleaseFile


class EntitlementStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


ENTITLEMENT_TRANSITIONS: dict[EntitlementStatus, set[EntitlementStatus]] = {
    EntitlementStatus.ACTIVE: {EntitlementStatus.SUSPENDED, EntitlementStatus.REVOKED},
    EntitlementStatus.SUSPENDED: {EntitlementStatus.ACTIVE, EntitlementStatus.REVOKED},
    EntitlementStatus.REVOKED: set(),
}


class Entitlement(Base):
    """One per line item. Of the link's secret only the hash is kept."""

    __tablename__ = "entitlements"
    __table_args__ = (
        CheckConstraint("downloads_used >= 0", name="used_not_negative"),
        CheckConstraint("downloads_used <= download_limit", name="used_within_limit"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    line_item_id: Mapped[int] = mapped_column(
        ForeignKey("line_items.id", ondelete="CASCADE"), unique=True
    )
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    status: Mapped[EntitlementStatus] = mapped_column(
        stored_by_value(EntitlementStatus), default=EntitlementStatus.ACTIVE
    )
    token_nonce: Mapped[str]
    token_epoch: Mapped[int] = mapped_column(default=0)
    token_hash: Mapped[str] = mapped_column(unique=True)
    downloads_used: Mapped[int] = mapped_column(default=0)
    download_limit: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    order: Mapped[Order] = relationship(back_populates="entitlements")
    item: Mapped[LineItem] = relationship(back_populates="entitlement")
    product: Mapped[Product] = relationship()
    downloads: Mapped[list[Download]] = relationship(
        back_populates="entitlement", order_by="Download.id"
    )

    @property
    def downloads_left(self) -> int:
        return self.download_limit - self.downloads_used

    def move_to(self, status: EntitlementStatus, *, why: str, who: str = "store") -> None:
        """Change state if the life cycle allows it; IllegalMove otherwise."""
        transition(self, self.order, ENTITLEMENT_TRANSITIONS, status, why=why, who=who)


class Download(Base):
    """One counted download of one file. Its own link may be resumed freely until it expires."""

    __tablename__ = "downloads"

    id: Mapped[int] = mapped_column(primary_key=True)
    entitlement_id: Mapped[int] = mapped_column(
        ForeignKey("entitlements.id", ondelete="CASCADE"), index=True
    )
    file_id: Mapped[int] = mapped_column(ForeignKey("release_files.id"))
    token_nonce: Mapped[str]
    token_epoch: Mapped[int] = mapped_column(default=0)
    token_hash: Mapped[str] = mapped_column(unique=True)
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    entitlement: Mapped[Entitlement] = relationship(back_populates="downloads")
    file: Mapped[ReleaseFile] = relationship()
