"""What one bitcoin costs: the sources' bodies, and the one rate several of them agree on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from app.payments.base import RateUnavailable

FRESH = timedelta(minutes=5)  # how old a source's own stamp may be
LAST_GOOD = timedelta(minutes=15)  # how long a rate carries on alone
APART = Decimal("0.03")  # further off the median is an outlier
JUMP = Decimal("0.20")  # further off the last good rate waits
JUMP_WITHIN = timedelta(hours=1)
HIGHEST = Decimal(10**7)
LOWEST = Decimal("0.0001")
NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,18})?")


class ReadingRefused(ValueError):
    """A source's answer that is not a price."""


class RateJumped(RateUnavailable):
    """The sources agree on a rate too far from the last good one; `rate` is what they say."""

    def __init__(self, rate: Rate) -> None:
        super().__init__(f"the rate went to {rate.value}")
        self.rate = rate


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source said; `at` is its own stamp, or when it was asked."""

    source: str
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one bitcoin, from whom, and when it was true."""

    value: Decimal
    at: datetime
    sources: Mapping[str, str] = field(default_factory=dict)


def consensus(
    readings: Iterable[Reading], last_good: Rate | None, now: datetime, *, needed: int = 2
) -> Rate:
    """The median of the fresh readings that agree, else the last good rate while it is young.

    `needed` is 1 only when a single source is configured: there is nobody then to agree with.
    RateJumped when the sources agree on more than 20 % away from the last hour's rate,
    RateUnavailable when there is nothing to go by.
    """
    agreed = _agreed([one for one in readings if abs(now - one.at) <= FRESH], needed)
    if agreed is not None:
        if last_good is not None and _jumped(agreed, last_good, now):
            raise RateJumped(agreed)
        return agreed
    if last_good is not None and is_young(last_good, now):
        return last_good
    raise RateUnavailable("no rate that can be trusted")


def is_young(rate: Rate, now: datetime) -> bool:
    """Whether a rate may still be used without a newer one."""
    return abs(now - rate.at) <= LAST_GOOD


def _agreed(fresh: list[Reading], needed: int) -> Rate | None:
    if len(fresh) < needed:
        return None
    middle = median(one.price for one in fresh)
    close = [one for one in fresh if abs(one.price - middle) <= middle * APART]
    if len(close) < needed:
        return None
    return Rate(
        value=median(one.price for one in close),
        at=min(one.at for one in close),
        sources={one.source: f"{one.price:f}" for one in close},
    )


def _jumped(rate: Rate, last_good: Rate, now: datetime) -> bool:
    recent = abs(now - last_good.at) <= JUMP_WITHIN
    return recent and abs(rate.value - last_good.value) > last_good.value * JUMP


def parse(source: str, body: Any, asked_at: datetime) -> Reading:
    """The reading in a source's JSON (numbers as Decimal); ReadingRefused if it is no price."""
    try:
        price, stamp = PARSERS[source](body)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ReadingRefused(f"{source} answered in another shape") from error
    if not LOWEST <= price <= HIGHEST:
        raise ReadingRefused(f"{source} says {price}")
    return Reading(source, price, stamp or asked_at)


def _number(value: Any) -> Decimal:
    """A JSON number; text, true and NaN are none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ReadingRefused(f"{str(value)[:20]!r} is not a number")
    number = Decimal(value)
    if not number.is_finite():
        raise ReadingRefused(f"{number} is not a number")
    return number


def _written(value: Any) -> Decimal:
    """A number in a JSON string, as exchanges write prices."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise ReadingRefused(f"{str(value)[:20]!r} is not a number")
    return Decimal(value)


def _seconds(value: Any) -> datetime:
    seconds = _number(value)
    if not 0 < seconds < 2**33:
        raise ReadingRefused("not a time")
    return datetime.fromtimestamp(int(seconds), UTC)


def _milliseconds(value: Any) -> datetime:
    return _seconds(_number(value) / 1000)


def _iso(value: str) -> datetime:
    try:
        stamp = datetime.fromisoformat(value)
    except ValueError as error:
        raise ReadingRefused("not a time") from error
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)


Parsed = tuple[Decimal, datetime | None]


def _whatsonchain(body: Any) -> Parsed:
    if body.get("currency", "USD") != "USD":
        raise ReadingRefused("not in USD")
    return _number(body["rate"]), _seconds(body["time"])


def _coingecko(body: Any) -> Parsed:
    coin = body["bitcoin-cash-sv"]
    stamp = coin.get("last_updated_at")
    return _number(coin["usd"]), None if stamp is None else _seconds(stamp)


def _coinpaprika(body: Any) -> Parsed:
    return _number(body["quotes"]["USD"]["price"]), _iso(body["last_updated"])


def _gate(body: Any) -> Parsed:
    return _written(body[0]["last"]), None


def _bitget(body: Any) -> Parsed:
    ticker = body["data"][0]
    stamp = ticker.get("ts")
    return _written(ticker["lastPr"]), None if stamp is None else _milliseconds(_written(stamp))


def _mexc(body: Any) -> Parsed:
    return _written(body["price"]), None


def _htx(body: Any) -> Parsed:
    trade = body["tick"]["data"][0]
    stamp = trade.get("ts")
    return _number(trade["price"]), None if stamp is None else _milliseconds(stamp)


PARSERS: Mapping[str, Callable[[Any], Parsed]] = {
    "whatsonchain": _whatsonchain,
    "coingecko": _coingecko,
    "coinpaprika": _coinpaprika,
    "gate": _gate,
    "bitget": _bitget,
    "mexc": _mexc,
    "htx": _htx,
}
