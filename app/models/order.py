"""What a buyer agreed to, prices frozen."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, stored_by_value
from app.models.lifecycle import transition
from app.money import Money, usd

if TYPE_CHECKING:
    from app.models.entitlement import Entitlement
    from app.models.event import Event
    from app.models.payment import Payment
    from app.models.product import Product
    from app.models.user import User


class OrderStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


ORDER_TRANSITIONS: dict[OrderStatus, set[OrderStatus]] = {
    OrderStatus.PENDING: {OrderStatus.PAID, OrderStatus.EXPIRED, OrderStatus.CANCELLED},
    OrderStatus.EXPIRED: {OrderStatus.PAID, OrderStatus.PENDING},  # late money; a new quote
    OrderStatus.CANCELLED: set(),
    OrderStatus.PAID: {OrderStatus.PARTIALLY_REFUNDED, OrderStatus.REFUNDED},
    OrderStatus.PARTIALLY_REFUNDED: {OrderStatus.REFUNDED},
    OrderStatus.REFUNDED: set(),
}


class Order(Base):
    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("total_minor >= 0", name="total_not_negative"),
        Index("ix_orders_status_created_at", "status", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)  # for people: S-7K3M9QXT
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    email: Mapped[str] = mapped_column(index=True)
    status: Mapped[OrderStatus] = mapped_column(
        stored_by_value(OrderStatus), default=OrderStatus.PENDING
    )
    total_minor: Mapped[int]  # US cents
    idempotency_key: Mapped[str] = mapped_column(unique=True)  # one press of one button
    token_nonce: Mapped[str]
    token_epoch: Mapped[int] = mapped_column(default=0)
    token_hash: Mapped[str] = mapped_column(unique=True)  # the order's page opens by its token
    paid_twice: Mapped[bool] = mapped_column(
        default=False
    )  # more than one payment settled: refund one
    created_at: Mapped[datetime] = mapped_column(index=True)
    paid_at: Mapped[datetime | None]

    user: Mapped[User | None] = relationship()
    items: Mapped[list[LineItem]] = relationship(
        back_populates="order", order_by="LineItem.id", cascade="all, delete-orphan"
    )
    payments: Mapped[list[Payment]] = relationship(back_populates="order", order_by="Payment.id")
    entitlements: Mapped[list[Entitlement]] = relationship(
        back_populates="order", order_by="Entitlement.id"
    )
    events: Mapped[list[Event]] = relationship(
        back_populates="order", order_by="Event.id", cascade="all, delete-orphan"
    )

    @property
    def total(self) -> Money:
        return usd(self.total_minor)

    @property
    def is_paid(self) -> bool:
        return self.status in {OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED}

    def move_to(self, status: OrderStatus, *, why: str, who: str = "store") -> None:
        """Change state if the life cycle allows it; IllegalMove otherwise."""
        transition(self, self, ORDER_TRANSITIONS, status, why=why, who=who)


class LineItem(Base):
    """A frozen record of one product as it was bought."""

    __tablename__ = "line_items"
    __table_args__ = (
        CheckConstraint("quantity >= 1", name="quantity_positive"),
        CheckConstraint("unit_price_minor >= 0", name="price_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    product_name: Mapped[str]
    unit_price_minor: Mapped[int]  # US cents
    quantity: Mapped[int]

    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()
    entitlement: Mapped[Entitlement | None] = relationship(back_populates="item")

    @property
    def unit_price(self) -> Money:
        return usd(self.unit_price_minor)

    @property
    def subtotal(self) -> Money:
        return self.unit_price * self.quantity
