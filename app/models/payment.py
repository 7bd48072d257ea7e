"""One attempt to settle one order through one provider, and the money seen for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, stored_by_value
from app.models.lifecycle import transition
from app.money import Currency, Money, usd
from app.payments.base import Stage

if TYPE_CHECKING:
    from app.models.order import Order


class PaymentStatus(StrEnum):
    AWAITING = "awaiting"
    PARTIAL = "partial"
    SEEN = "seen"
    SETTLED = "settled"
    EXPIRED = "expired"
    CONFLICTED = "conflicted"
    REVIEW = "review"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    CLOSED = "closed"


_S = PaymentStatus
PAYMENT_TRANSITIONS: dict[PaymentStatus, set[PaymentStatus]] = {
    _S.AWAITING: {_S.PARTIAL, _S.SEEN, _S.SETTLED, _S.EXPIRED, _S.REVIEW, _S.CANCELLED},
    _S.PARTIAL: {_S.AWAITING, _S.SEEN, _S.SETTLED, _S.REVIEW, _S.EXPIRED, _S.CANCELLED},
    _S.SEEN: {_S.SETTLED, _S.CONFLICTED},
    _S.SETTLED: {_S.CONFLICTED, _S.REFUNDED, _S.CLOSED},
    _S.CONFLICTED: {_S.SEEN, _S.SETTLED, _S.CLOSED},
    _S.EXPIRED: {_S.SEEN, _S.SETTLED, _S.REVIEW},
    _S.REVIEW: {_S.SEEN, _S.SETTLED, _S.REFUNDED, _S.CLOSED},
    _S.CANCELLED: {_S.SEEN, _S.SETTLED, _S.REVIEW, _S.REFUNDED, _S.CLOSED},
    _S.REFUNDED: set(),
    _S.CLOSED: set(),
}
OPEN = frozenset({_S.AWAITING, _S.PARTIAL, _S.SEEN})  # a buyer is paying through it


class Payment(Base):
    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("provider", "claim"),
        UniqueConstraint("sequence", "sequence_number"),
        CheckConstraint("due_minor >= 0", name="due_not_negative"),
        CheckConstraint("total_minor >= 0", name="total_not_negative"),
        Index("ix_payments_next_check_at", "next_check_at"),
        Index("ix_payments_status", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str]
    status: Mapped[PaymentStatus] = mapped_column(
        stored_by_value(PaymentStatus), default=PaymentStatus.AWAITING
    )
    reference: Mapped[str] = mapped_column(index=True)  # the provider's name for the destination
    claim: Mapped[str | None]  # the reference while it is watched; no two payments may share it
    sequence: Mapped[str | None]
    sequence_number: Mapped[int | None]
    details: Mapped[Mapping[str, Any]]  # for the provider's own templates
    redirect_url: Mapped[str | None]

    due_minor: Mapped[int]
    due_currency: Mapped[Currency] = mapped_column(stored_by_value(Currency))
    required_minor: Mapped[
        int
    ]  # what is enough: due less the tolerance; anew when late money is accepted
    total_minor: Mapped[int]  # US cents this was quoted for
    rate: Mapped[str | None]  # exact decimal
    rate_at: Mapped[datetime | None]
    rate_sources: Mapped[Mapping[str, Any]]

    is_late: Mapped[bool] = mapped_column(default=False)
    is_overpaid: Mapped[bool] = mapped_column(default=False)
    told_underpaid_at: Mapped[datetime | None]

    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    watch_until: Mapped[datetime]
    viewed_at: Mapped[datetime | None]  # when its page was last open
    checked_at: Mapped[datetime | None]  # start of the last look that succeeded
    next_check_at: Mapped[
        datetime | None
    ]  # None: watched no more; also the lease of whoever is looking
    settled_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship(back_populates="payments")
    credits: Mapped[list[PaymentCredit]] = relationship(
        back_populates="payment", order_by="PaymentCredit.id", cascade="all, delete-orphan"
    )
    proofs: Mapped[list[PostedProof]] = relationship(
        back_populates="payment", order_by="PostedProof.id", cascade="all, delete-orphan"
    )

    @property
    def due(self) -> Money:
        return Money(self.due_minor, self.due_currency)

    @property
    def total(self) -> Money:
        return usd(self.total_minor)

    @property
    def received(self) -> Money:
        """What has arrived and still stands."""
        standing = sum(
            credit.amount_minor for credit in self.credits if credit.stage is not Stage.GONE
        )
        return Money(standing, self.due_currency)

    @property
    def missing(self) -> Money:
        """What is still due, never below zero."""
        return Money(max(self.due_minor - self.received.minor, 0), self.due_currency)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def move_to(self, status: PaymentStatus, *, why: str, who: str = "store") -> None:
        """Change state if the life cycle allows it; IllegalMove otherwise."""
        transition(self, self.order, PAYMENT_TRANSITIONS, status, why=why, who=who)


class PaymentCredit(Base):
    """Money that arrived, under the outside world's name for it; it counts for one payment only."""

    __tablename__ = "payment_credits"
    __table_args__ = (
        UniqueConstraint("provider", "reference"),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(
        ForeignKey("payments.id", ondelete="CASCADE"), index=True
    )
    provider: Mapped[str]
    reference: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[Currency] = mapped_column(stored_by_value(Currency))
    stage: Mapped[Stage] = mapped_column(stored_by_value(Stage))
    confirmations: Mapped[int] = mapped_column(default=0)
    evidence: Mapped[Mapping[str, Any]]
    first_seen_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    payment: Mapped[Payment] = relationship(back_populates="credits")

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class PostedProof(Base):
    """A transaction id a buyer posted that nobody could explain yet; the worker looks again."""

    __tablename__ = "posted_proofs"
    __table_args__ = (UniqueConstraint("payment_id", "proof"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id", ondelete="CASCADE"))
    proof: Mapped[str]
    posted_at: Mapped[datetime]

    payment: Mapped[Payment] = relationship(back_populates="proofs")


class PaymentSequence(Base):
    """The next number of a provider's sequence (an xpub's next address), never given twice."""

    __tablename__ = "payment_sequences"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_number: Mapped[int] = mapped_column(default=0)


class ProviderNote(Base):
    """A page of a provider's notebook: rates it heard, the tip it saw."""

    __tablename__ = "provider_notes"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Mapping[str, Any]]
    written_at: Mapped[datetime]
