"""What happened to an order, in order."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base

if TYPE_CHECKING:
    from app.models.order import Order


class Event(Base):
    """One change: of what, from, to, why, by whom, when. Rows are only ever added."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    subject: Mapped[str]  # "order", "payment", "entitlement", "outgoingemail"
    subject_id: Mapped[int | None]
    was: Mapped[str | None]
    now: Mapped[str | None]
    why: Mapped[str]
    who: Mapped[str]
    at: Mapped[datetime]

    order: Mapped[Order] = relationship(back_populates="events")
