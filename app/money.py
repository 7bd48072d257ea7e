"""Money is an integer and a currency.

Cents for USD (ISO 4217 exponent 2), satoshis for BSV (10^-8, the smallest unit of the chain).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import StrEnum


class Currency(StrEnum):
    USD = "USD"
    BSV = "BSV"

    @property
    def exponent(self) -> int:
        """How many decimal places one minor unit is."""
        return {Currency.USD: 2, Currency.BSV: 8}[self]


class MoneyError(ValueError):
    """Not an amount of this currency."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount in minor units (cents, satoshis)."""

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise MoneyError(f"{self.minor!r} is not an integer of minor units")

    @classmethod
    def parse(cls, text: str, currency: Currency) -> Money:
        """The amount a person wrote ("19", "19.90"); MoneyError below the minor unit."""
        try:
            value = Decimal(text.strip())
            minor = value.scaleb(currency.exponent)
            if not minor.is_finite() or minor != minor.to_integral_value() or abs(minor) > 10**15:
                raise MoneyError(f"{text!r} is not an amount of {currency}")
        except InvalidOperation as error:
            raise MoneyError(f"{text!r} is not an amount of {currency}") from error
        return cls(int(minor), currency)

    @property
    def major(self) -> Decimal:
        """The amount in whole units, exact: Decimal("19.00"), Decimal("0.76000000")."""
        return Decimal(self.minor).scaleb(-self.currency.exponent)

    def at_rate(self, rate: Decimal, *, into: Currency) -> Money:
        """This amount in another currency, `rate` being the price of one unit of `into` in ours.

        Rounded up, so that a rounding never leaves the seller short.
        """
        if not rate.is_finite() or rate <= 0:
            raise MoneyError(f"{rate} is not a rate")
        minor = (self.major / rate).scaleb(into.exponent)
        return Money(int(minor.to_integral_value(rounding=ROUND_CEILING)), into)

    def share(self, percent: Decimal) -> Money:
        """This many percent of the amount, rounded half to even."""
        minor = (Decimal(self.minor) * percent / 100).to_integral_value(rounding=ROUND_HALF_EVEN)
        return Money(int(minor), self.currency)

    def _same(self, other: Money) -> None:
        if other.currency is not self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.minor * times, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.major:f} {self.currency}"


def usd(cents: int) -> Money:
    """An amount of US cents."""
    return Money(cents, Currency.USD)


def bsv(satoshis: int) -> Money:
    """An amount of satoshis."""
    return Money(satoshis, Currency.BSV)
