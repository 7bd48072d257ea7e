"""A provider in which a test says what arrived."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from app import clock
from app.money import Currency, Money, bsv
from app.payments.base import (
    Approximation,
    Credit,
    InvalidProof,
    Observation,
    OpenPayment,
    PaymentIntent,
    PaymentRequest,
    ProviderUnavailable,
    Quote,
    RateUnavailable,
    Stage,
    UnknownProof,
)


@dataclass
class _Money:
    """Money under way to one destination; unlisted money shows itself only to who knows its id."""

    destination: str
    credit: Credit
    listed: bool


class FakeProvider:
    """Fresh destinations, money when a test says so, silence when a test says so."""

    label = "Fake money"

    def __init__(
        self, name: str = "fake", *, rate: Decimal | None = Decimal(25), sequence: str | None = None
    ) -> None:
        self.id = name
        self.sequence = sequence
        self.rate = rate  # None: no rate that can be trusted
        self.window = timedelta(hours=2)
        self.unavailable = False
        self.silent_about: set[str] = set()  # references left out of a look
        self.looks = 0
        self._requests: dict[str, PaymentRequest] = {}
        self._money: dict[str, _Money] = {}
        self._numbers = count(1)

    # What a test says.

    def receive(
        self,
        payment: str,
        satoshis: int,
        stage: Stage = Stage.SETTLED,
        *,
        txid: str | None = None,
        vout: int = 0,
        confirmations: int = 0,
        listed: bool = True,
    ) -> str:
        """Let money arrive for the payment with this reference; says the credit's reference."""
        reference = f"{txid or self.a_txid()}:{vout}"
        credit = Credit(
            reference=reference,
            amount=bsv(satoshis),
            stage=stage,
            confirmations=confirmations,
            evidence={"reason": "a test says so"},
        )
        self._money[reference] = _Money(payment, credit, listed)
        return reference

    def change(self, reference: str, stage: Stage, *, confirmations: int = 0) -> None:
        """Let a credit become something else: settled, or gone."""
        money = self._money[reference]
        money.credit = replace(money.credit, stage=stage, confirmations=confirmations)
        money.listed = True

    def a_txid(self) -> str:
        """A transaction id nobody has used."""
        return f"{next(self._numbers):064x}"

    # What the store asks.

    def quote(self, total: Money, *, now: datetime) -> Quote:
        if self.rate is None:
            raise RateUnavailable("no rate that can be trusted")
        return Quote(
            due=total.at_rate(self.rate, into=Currency.BSV),
            total=total,
            rate=self.rate,
            sources={self.id: str(self.rate)},
            quoted_at=now,
            rate_at=now,
            holds_for=self.window,
        )

    def approximate(self, total: Money) -> Approximation | None:
        if self.rate is None:
            return None
        amount = total.at_rate(self.rate, into=Currency.BSV)
        return Approximation(amount=amount, rate=self.rate, rate_at=clock.now())

    def open(self, intent: PaymentIntent) -> PaymentRequest:
        if self.unavailable:
            raise ProviderUnavailable("a test says so")
        if intent.key not in self._requests:
            number = len(self._requests) if intent.sequence is None else intent.sequence
            address = f"{self.id}-address-{number}"
            details = {"address": address, "uri": f"bitcoin:{address}?sv"}
            self._requests[intent.key] = PaymentRequest(
                reference=address, due=intent.quote.due, details=details
            )
        return self._requests[intent.key]

    def check(self, payments: Sequence[OpenPayment]) -> Iterator[Observation]:
        self.looks += 1
        if self.unavailable:
            raise ProviderUnavailable("a test says so")
        for payment in payments:
            if payment.reference in self.silent_about:
                continue
            yield Observation(
                payment_id=payment.id,
                credits=self._credits(payment),
                checked_at=clock.now(),
                explained=[proof for proof in payment.proofs if self._under(proof)],
            )

    def submit(self, payment: OpenPayment, proof: str) -> Observation:
        txid = self.normalise_proof(proof)
        if self.unavailable:
            raise ProviderUnavailable("a test says so")
        under = self._under(txid)
        if not under:
            raise UnknownProof("Nobody has heard of this transaction yet.")
        credits_ = [money.credit for money in under if money.destination == payment.reference]
        if not credits_:
            raise InvalidProof("This transaction pays another address, not the one of this order.")
        return Observation(
            payment_id=payment.id,
            credits=credits_,
            checked_at=clock.now(),
            complete=False,
            explained=[txid],
        )

    def normalise_proof(self, proof: str) -> str:
        txid = "".join(proof.split()).lower()
        if len(txid) != 64 or not set(txid) <= set("0123456789abcdef"):
            raise InvalidProof("A transaction ID is 64 characters long.")
        return txid

    def _credits(self, payment: OpenPayment) -> list[Credit]:
        known = {credit.reference for credit in payment.credits}
        return [
            money.credit
            for reference, money in self._money.items()
            if money.destination == payment.reference
            and (money.listed or reference in known or _txid(reference) in payment.proofs)
            and (money.credit.stage is not Stage.GONE or reference in known)
        ]

    def _under(self, txid: str) -> list[_Money]:
        return [
            money
            for reference, money in self._money.items()
            if _txid(reference) == txid and money.credit.stage is not Stage.GONE
        ]


def _txid(reference: str) -> str:
    return reference.partition(":")[0]
