"""The words in which the store and a payment provider talk.

A provider observes; the store judges. Everything here is a frozen value, free of Flask, of the
database and of HTML, so that a provider can be read, tested and replaced by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from app.money import Money


class Stage(StrEnum):
    """How much a credit is worth, in the provider's judgement."""

    SEEN = "seen"  # announced, not yet to be relied on
    SETTLED = "settled"  # the provider vouches for it under its own policy
    GONE = "gone"  # it was seen and is no longer true: double spent, reorganised, reversed


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """The amount due through one provider, and how it came about."""

    due: Money
    total: Money  # what the order costs, in the store's currency
    rate: Decimal | None = None  # price of one unit of `due.currency` in `total.currency`
    sources: Mapping[str, str] = field(
        default_factory=dict
    )  # name → what it said, for the buyer to read
    quoted_at: datetime
    rate_at: datetime | None = None  # when the rate was true
    holds_for: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class LineItem:
    """One line of what is paid for, as a hosted payment page shows it."""

    name: str
    unit_price: Money
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentIntent:
    """What the store asks a provider to open."""

    key: str  # the same key asks for the same thing again
    order_number: str
    email: str
    quote: Quote
    items: Sequence[LineItem]
    expires_at: datetime
    return_url: str
    sequence: int | None = None  # the next number of `provider.sequence`, never given twice
    taken: frozenset[int] = (
        frozenset()
    )  # amounts due by other watched payments to one shared destination


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentRequest:
    """An opened payment: where the buyer's money is to go."""

    reference: str  # unique per provider while the payment is watched: an address, a session's id
    due: Money  # may differ from the quote by what makes it unique
    redirect_url: str | None = None  # a hosted page to send the buyer to
    details: Mapping[str, str] = field(default_factory=dict)  # for the provider's own templates


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownCredit:
    """A credit the store already holds, so that a provider can say what became of it."""

    reference: str
    amount: Money
    stage: Stage
    first_seen_at: datetime
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenPayment:
    """A payment as a provider needs to know it."""

    id: int
    reference: str
    due: Money
    total: Money
    details: Mapping[str, str]
    created_at: datetime
    expires_at: datetime
    credits: Sequence[KnownCredit] = ()
    proofs: Sequence[str] = ()  # transaction ids a buyer posted that are still unexplained


@dataclass(frozen=True, kw_only=True, slots=True)
class Credit:
    """Money arriving, under the outside world's name for it.

    `evidence` is what backs it: the raw transaction, its block, why it is not settled. Facts not
    named stay as they were told before; an empty one is taken back (a block that was orphaned).
    """

    reference: str  # "txid:vout", "pi_…"; unique per provider, over all payments
    amount: Money
    stage: Stage
    confirmations: int = 0
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What a provider saw of one payment in one successful look.

    `checked_at` is when the look began. Credits not named are unchanged; a credit that is no
    longer true is named with `Stage.GONE`. `complete` is False when the look could not have
    seen everything (only one posted transaction was examined): such a look never expires a payment.
    """

    payment_id: int
    credits: Sequence[Credit]
    checked_at: datetime
    complete: bool = True
    explained: Sequence[str] = ()  # posted proofs that need no further look


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookEvent:
    """A hint from outside: look at this payment again."""

    id: str
    reference: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundResult:
    reference: str
    amount: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class Approximation:
    """A total in the provider's money, for display before anything is quoted."""

    amount: Money
    rate: Decimal
    rate_at: datetime


class ProviderError(Exception):
    """Something a provider could not do."""


class ProviderUnavailable(ProviderError):
    """Try later; nothing is known to be wrong."""


class RateUnavailable(ProviderUnavailable):
    """No rate that can be trusted: this rail is closed for the moment."""


class DestinationTaken(ProviderError):
    """The next destination has a history already; ask again with the next number."""


class InvalidProof(ProviderError):
    """What the buyer posted does not pay this payment; the text says why, in the buyer's words."""


class UnknownProof(ProviderError):
    """Well formed, but nobody has heard of it yet; worth another look later."""


class InvalidSignature(ProviderError):
    """A webhook that was not signed by the provider."""


class PaymentProvider(Protocol):
    """One way for money to reach the seller."""

    id: str  # stored with the payment; also its template folder
    label: str  # what the buyer reads
    sequence: str | None  # name of the counter its payments draw numbers from, if any

    def quote(self, total: Money, *, now: datetime) -> Quote:
        """What `total` costs on this rail now; RateUnavailable when that cannot be said."""
        ...

    def open(self, intent: PaymentIntent) -> PaymentRequest:
        """Open a payment; repeatable per `intent.key`. DestinationTaken asks for another number."""
        ...

    def check(self, payments: Sequence[OpenPayment]) -> Iterator[Observation]:
        """Look at many payments at once; those that could not be looked at are left out."""
        ...


@runtime_checkable
class AcceptsProof(Protocol):
    """A buyer may post what shows the payment: a transaction id, a wallet's transaction."""

    def submit(self, payment: OpenPayment, proof: str) -> Observation:
        """Examine one proof now; InvalidProof, UnknownProof or ProviderUnavailable."""
        ...

    def normalise_proof(self, proof: str) -> str:
        """The proof in its one spelling; InvalidProof when it is not of the right form."""
        ...


@runtime_checkable
class AcceptsWebhooks(Protocol):
    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent | None:
        """The hint in a signed call; None when it does not concern payments. InvalidSignature."""
        ...


@runtime_checkable
class MakesRefunds(Protocol):
    def refund(self, payment: OpenPayment, amount: Money, *, key: str) -> RefundResult:
        """Send money back; repeatable per key."""
        ...


@runtime_checkable
class ClosesPayments(Protocol):
    def close(self, payment: OpenPayment) -> None:
        """Stop taking money for this payment where the provider can."""
        ...


@runtime_checkable
class Approximates(Protocol):
    def approximate(self, total: Money) -> Approximation | None:
        """About what `total` is in this rail's money, from memory; never asks anybody."""
        ...


@runtime_checkable
class NeedsUpkeep(Protocol):
    def upkeep(self) -> None:
        """What the worker does for this rail every few seconds: rates, the chain's tip."""
        ...


@runtime_checkable
class HoldsRates(Protocol):
    def accept_rate(self) -> Decimal | None:
        """Take the rate that jumped too far to be taken by itself; None when none waits."""
        ...


class Memory(Protocol):
    """A provider's notebook, shared by all processes of the store; values are JSON."""

    def get(self, key: str) -> tuple[Any, datetime] | None:
        """What was last put under `key`, and when."""
        ...

    def put(self, key: str, value: Any) -> None: ...
