"""Bitcoin SV as a payment provider: quotes, addresses, and what arrived at them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import quote as url_quote

from app import clock
from app.http import Unavailable
from app.money import Currency, Money, bsv
from app.payments.base import (
    Approximation,
    DestinationTaken,
    InvalidProof,
    Observation,
    OpenPayment,
    PaymentIntent,
    PaymentRequest,
    ProviderError,
    ProviderUnavailable,
    Quote,
)
from app.payments.onchain.addresses import AccountKey, Destination
from app.payments.onchain.findings import batched
from app.payments.onchain.lookout import Lookout
from app.payments.onchain.rateboard import RateBoard
from app.payments.onchain.whatsonchain import BULK, TXID

log = logging.getLogger(__name__)

MOST_ADDED = 10_000  # satoshis added to make an amount unique


class OnChain:
    """Coins sent to a fresh address of an account, or to one address in an amount of its own."""

    id = "onchain"
    label = "Bitcoin SV"

    def __init__(
        self,
        *,
        network: str,
        receiving: AccountKey | Destination,
        lookout: Lookout,
        rates: RateBoard,
        window: timedelta,
        margin_percent: Decimal = Decimal(0),
    ) -> None:
        self.sequence = (
            f"onchain:{receiving.fingerprint}" if isinstance(receiving, AccountKey) else None
        )
        self._network = network
        self._receiving = receiving
        self._lookout = lookout
        self._rates = rates
        self._window = window
        self._margin = margin_percent

    def quote(self, total: Money, *, now: datetime) -> Quote:
        """What `total` costs in satoshis now, rounded up; RateUnavailable."""
        rate = self._rates.current(now)
        return Quote(
            due=self._satoshis(total, rate.value),
            total=total,
            rate=rate.value,
            sources=rate.sources,
            quoted_at=now,
            rate_at=rate.at,
            holds_for=self._window,
        )

    def approximate(self, total: Money) -> Approximation | None:
        """About what `total` is in BSV, from memory."""
        rate = self._rates.peek(clock.now())
        if rate is None:
            return None
        return Approximation(
            amount=self._satoshis(total, rate.value), rate=rate.value, rate_at=rate.at
        )

    def _satoshis(self, total: Money, rate: Decimal) -> Money:
        if self._margin:
            rate = rate * 100 / (100 + self._margin)
        return total.at_rate(rate, into=Currency.BSV)

    def open(self, intent: PaymentIntent) -> PaymentRequest:
        """A fresh address, or an amount nobody else owes; DestinationTaken when it has a past."""
        if isinstance(self._receiving, Destination):
            due = _unique(intent.quote.due, intent.taken)
            reference = f"{self._receiving.address}:{due.minor}"
            details = {"exact": "1"}
            if (tip := self._lookout.tip()) is not None:
                details["height"] = str(tip)
            return self._request(self._receiving, due, intent, reference, details)
        if intent.sequence is None:
            raise ProviderError("a fresh address needs a number")
        destination = self._receiving.destination(intent.sequence)
        if self._lookout.has_history(destination.address):
            raise DestinationTaken(f"address {intent.sequence} has been used before")
        details = {"index": str(intent.sequence)}
        return self._request(destination, intent.quote.due, intent, destination.address, details)

    def _request(
        self,
        destination: Destination,
        due: Money,
        intent: PaymentIntent,
        reference: str,
        details: Mapping[str, str],
    ) -> PaymentRequest:
        label = url_quote(f"Order {intent.order_number}", safe="")
        return PaymentRequest(
            reference=reference,
            due=due,
            details={
                **details,
                "address": destination.address,
                "script": destination.script.hex(),
                "network": self._network,
                "uri": f"bitcoin:{destination.address}?sv&amount={due.major:f}&label={label}",
            },
        )

    def check(self, payments: Sequence[OpenPayment]) -> Iterator[Observation]:
        """What arrived for these payments; ProviderUnavailable when none could be looked at."""
        trouble: Unavailable | None = None
        looked = False
        for batch in batched(payments, BULK):
            try:
                observations = self._lookout.at_payments(batch)
            except Unavailable as error:
                log.warning("explorer: %s", error)
                trouble = error
            else:
                looked = looked or bool(observations)
                yield from observations
        if payments and not looked:
            raise ProviderUnavailable(str(trouble or "the explorer answered about none of them"))

    def normalise_proof(self, proof: str) -> str:
        """The transaction id as it is written everywhere: 64 hexadecimal digits, lower case."""
        txid = "".join(proof.split()).lower().removeprefix("0x")
        if not TXID.fullmatch(txid):
            raise InvalidProof(
                "A transaction ID is 64 characters long, digits and the letters a to f. "
                "Your wallet shows it in the details of the payment."
            )
        return txid

    def submit(self, payment: OpenPayment, proof: str) -> Observation:
        """Look at one posted transaction now, and at nothing else."""
        return self._lookout.at_transaction(payment, self.normalise_proof(proof))

    def accept_rate(self) -> Decimal | None:
        """Take the rate that jumped more than is believed without a person."""
        rate = self._rates.accept_held()
        return None if rate is None else rate.value

    def upkeep(self) -> None:
        """Keep the rate and the chain's tip young, so that no buyer waits for them."""
        self._rates.renew(clock.now())
        self._lookout.renew_tip()


def _unique(due: Money, taken: frozenset[int]) -> Money:
    """The amount, with the fewest satoshis added that make it nobody else's."""
    for more in range(MOST_ADDED):
        if due.minor + more not in taken:
            return bsv(due.minor + more)
    raise ProviderUnavailable("too many open payments of the same amount")
