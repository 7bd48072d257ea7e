"""The ways to pay that this store offers, and what a total would be in their money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.money import Money
from app.payments.base import AcceptsProof, Approximates, Approximation, PaymentProvider
from app.wiring import wiring


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """One way to pay, as a buyer chooses it."""

    provider_id: str
    label: str
    about: Approximation | None  # the total in its money, if that is another than the store's
    is_open: bool  # whether it can say now what the total costs


def offers(total: Money) -> Sequence[Offer]:
    """Every way to pay this total, in the order of the settings."""
    return [_offer(provider, total) for provider in wiring().providers.values()]


def _offer(provider: PaymentProvider, total: Money) -> Offer:
    about, is_open = None, True
    if isinstance(provider, Approximates):
        about = provider.approximate(total)
        is_open = about is not None
    return Offer(provider_id=provider.id, label=provider.label, about=about, is_open=is_open)


def approximate(total: Money) -> Approximation | None:
    """About what `total` is in the money of the first rail that has one of its own."""
    if not total:
        return None
    return next((offer.about for offer in offers(total) if offer.about is not None), None)


def only_one() -> str | None:
    """The id of the one way to pay, if there is nothing to choose."""
    ids = list(wiring().providers)
    return ids[0] if len(ids) == 1 else None


def takes_proof(provider_id: str) -> bool:
    """Whether buyers may post what shows a payment through this provider."""
    return isinstance(wiring().providers.get(provider_id), AcceptsProof)
