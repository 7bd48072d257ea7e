"""What the rails need done now and then: rates fetched, the chain's tip looked at."""

from __future__ import annotations

import logging
from decimal import Decimal

from app.payments.base import HoldsRates, NeedsUpkeep, ProviderUnavailable
from app.wiring import wiring

log = logging.getLogger(__name__)


def run() -> None:
    """Let every rail that asks for it do its upkeep; the trouble of one is not another's."""
    for provider in wiring().providers.values():
        if isinstance(provider, NeedsUpkeep):
            try:
                provider.upkeep()
            except ProviderUnavailable as error:
                log.warning("upkeep of %s: %s", provider.id, error)
            except Exception:
                log.exception("upkeep of %s failed", provider.id)


def accept_rates() -> dict[str, Decimal]:
    """Take every rate that jumped and waited for a person; what was taken, by the rail's label."""
    accepted = {
        provider.label: provider.accept_rate()
        for provider in wiring().providers.values()
        if isinstance(provider, HoldsRates)
    }
    return {label: rate for label, rate in accepted.items() if rate is not None}
