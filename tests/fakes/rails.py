"""The on-chain rail as a store configures it, in front of a fake explorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cache

from app.http import TokenBucket
from app.money import Money, usd
from app.payments.base import Memory, PaymentProvider
from app.payments.registry import build
from tests.fakes.explorer import BASE, RATES
from tests.fakes.memory import FakeMemory

ADDRESS = "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8"


@dataclass(frozen=True)
class Settings:
    """Settings as `config.Config` has them."""

    bsv_network: str = "test"
    bsv_xpub: str | None = None
    bsv_address: str | None = None
    whatsonchain_url: str | None = BASE
    whatsonchain_api_key: str | None = None
    whatsonchain_rate_per_second: Decimal = Decimal(3)
    rate_sources: Mapping[str, str] = field(
        default_factory=lambda: {
            name: f"{RATES}/{name}" for name in ("whatsonchain", "coingecko", "gate")
        }
    )
    payment_window: timedelta = timedelta(hours=2)
    unconfirmed_limit: Money = usd(2000)
    one_confirmation_limit: Money = usd(20000)
    quote_margin_percent: Decimal = Decimal(0)


@cache
def account(seed: int = 1, *, network: str = "test") -> tuple[str, str]:
    """The public and the private key of an account: never the real thing."""
    from bsv.constants import Network
    from bsv.hd.bip32 import Xprv

    of = Network.MAINNET if network == "main" else Network.TESTNET
    private = Xprv.from_seed(bytes([seed]) * 64, of)
    return str(private.xpub()), str(private)


def with_xpub(memory: Memory | None = None) -> PaymentProvider:
    """A fresh address for each payment."""
    return rail(Settings(bsv_xpub=account()[0]), memory)


def with_address(memory: Memory | None = None) -> PaymentProvider:
    """One address for all, each amount its own."""
    return rail(Settings(bsv_address=ADDRESS), memory)


def rail(settings: Settings, memory: Memory | None = None) -> PaymentProvider:
    (provider,) = build(settings, memory or FakeMemory(), budget=TokenBucket(10_000))
    return provider
