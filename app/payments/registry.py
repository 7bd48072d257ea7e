"""The rails this store offers, made from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Protocol
from urllib.parse import urlsplit

from app.http import Budget, TokenBucket
from app.money import Money
from app.payments.base import Memory, PaymentProvider


class RailSettings(Protocol):
    """The settings read here; `config.Config` has them all."""

    @property
    def bsv_network(self) -> str: ...
    @property
    def bsv_xpub(self) -> str | None: ...
    @property
    def bsv_address(self) -> str | None: ...
    @property
    def whatsonchain_url(self) -> str | None: ...
    @property
    def whatsonchain_api_key(self) -> str | None: ...
    @property
    def whatsonchain_rate_per_second(self) -> Decimal | float: ...
    @property
    def rate_sources(self) -> Mapping[str, str]: ...
    @property
    def payment_window(self) -> timedelta: ...
    @property
    def unconfirmed_limit(self) -> Money: ...
    @property
    def one_confirmation_limit(self) -> Money: ...
    @property
    def quote_margin_percent(self) -> Decimal: ...


def build(
    config: RailSettings, memory: Memory, *, budget: Budget | None = None
) -> list[PaymentProvider]:
    """The providers the settings ask for; ValueError names the setting that is wrong.

    `budget` rations the explorer's requests; without one every process has its own share.
    """
    if not config.bsv_xpub and not config.bsv_address:
        return []
    return [_onchain(config, memory, budget)]


def _onchain(config: RailSettings, memory: Memory, budget: Budget | None) -> PaymentProvider:
    from app.payments.onchain import addresses, rateboard
    from app.payments.onchain.lookout import Lookout
    from app.payments.onchain.policy import Limits
    from app.payments.onchain.provider import OnChain
    from app.payments.onchain.whatsonchain import WhatsOnChain

    network = str(config.bsv_network)
    receiving: addresses.AccountKey | addresses.Destination
    if config.bsv_xpub:
        receiving = addresses.AccountKey(config.bsv_xpub, network)
    else:
        receiving = addresses.single(config.bsv_address or "", network)
    budget = budget or TokenBucket(float(config.whatsonchain_rate_per_second))
    explorer = WhatsOnChain(
        config.whatsonchain_url,
        network=network,
        api_key=config.whatsonchain_api_key,
        budget=budget,
    )
    sources = []
    for name, url in config.rate_sources.items():
        ours = _origin(url) == _origin(explorer.base)  # it counts there, and knows our key
        key = config.whatsonchain_api_key if ours else None
        sources.append(
            rateboard.source(
                name,
                url,
                budget=budget if ours and name == "whatsonchain" else None,
                headers={"Authorization": key} if key else None,
            )
        )
    return OnChain(
        network=network,
        receiving=receiving,
        lookout=Lookout(
            explorer, memory, Limits(config.unconfirmed_limit, config.one_confirmation_limit)
        ),
        rates=rateboard.RateBoard(sources, memory),
        window=config.payment_window,
        margin_percent=config.quote_margin_percent,
    )


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return (parts.scheme, parts.netloc)
