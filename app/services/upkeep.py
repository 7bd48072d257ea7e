"""What the rails need done now and then: rates fetched, the chain's tip looked at."""

import logging

from app.payments.base import NeedsUpkeep, ProviderUnavailable
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
