"""Letters, written down before they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, stored_by_value

if TYPE_CHECKING:
    from app.models.order import Order


class EmailStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"  # to be tried again
    GIVEN_UP = "given_up"


class OutgoingEmail(Base):
    """One letter to one person. It holds ids, never links; secrets are made while sending."""

    __tablename__ = "outgoing_emails"
    __table_args__ = (Index("ix_outgoing_emails_due_at", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)  # names the reason: one reason, one letter
    letter: Mapped[str]  # folder under templates/emails
    to: Mapped[str]
    order_id: Mapped[int | None] = mapped_column(
        ForeignKey("orders.id", ondelete="CASCADE"), index=True
    )
    facts: Mapped[Mapping[str, Any]]
    status: Mapped[EmailStatus] = mapped_column(
        stored_by_value(EmailStatus), default=EmailStatus.QUEUED
    )
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[
        datetime | None
    ]  # None: nothing more to do; also the lease of whoever is sending
    last_error: Mapped[str | None]
    message_id: Mapped[
        str
    ]  # the same at every attempt, so that a repeated letter can be recognised
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

    order: Mapped[Order | None] = relationship()
