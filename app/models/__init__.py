"""What the store remembers. Importing this package makes every table known."""

from app.models.base import Base
from app.models.email import EmailStatus, OutgoingEmail
from app.models.entitlement import Download, Entitlement, EntitlementStatus
from app.models.event import Event
from app.models.order import LineItem, Order, OrderStatus
from app.models.payment import (
    Payment,
    PaymentCredit,
    PaymentSequence,
    PaymentStatus,
    PostedProof,
    ProviderNote,
)
from app.models.product import CatalogVersion, Picture, Product, Tag
from app.models.release import Release, ReleaseFile
from app.models.user import LoginSession, User

__all__ = [
    "Base",
    "CatalogVersion",
    "Download",
    "EmailStatus",
    "Entitlement",
    "EntitlementStatus",
    "Event",
    "LineItem",
    "LoginSession",
    "Order",
    "OrderStatus",
    "OutgoingEmail",
    "Payment",
    "PaymentCredit",
    "PaymentSequence",
    "PaymentStatus",
    "Picture",
    "PostedProof",
    "Product",
    "ProviderNote",
    "Release",
    "ReleaseFile",
    "Tag",
    "User",
]
