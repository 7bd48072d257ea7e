"""What the store does with a provider, in a few lines: opens payments, remembers credits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count

from app import clock
from app.money import Money, usd
from app.payments.base import (
    AcceptsProof,
    DestinationTaken,
    KnownCredit,
    Observation,
    OpenPayment,
    PaymentIntent,
    PaymentProvider,
    Stage,
)


class Desk:
    """Opens payments and keeps what was seen of them."""

    def __init__(self, provider: PaymentProvider) -> None:
        self.provider = provider
        self._ids = count(1)
        self._sequence = count(0)
        self._taken: set[int] = set()

    def intent(self, total: Money, *, sequence: int | None = None) -> PaymentIntent:
        now = clock.now()
        quote = self.provider.quote(total, now=now)
        return PaymentIntent(
            key=f"key-{next(self._ids)}",
            order_number="S-1001",
            email="buyer@example.com",
            quote=quote,
            items=[],
            expires_at=now + quote.holds_for,
            return_url="http://127.0.0.1/orders/S-1001",
            sequence=sequence if sequence is not None else self._next(),
            taken=frozenset(self._taken),
        )

    def open(self, total: Money = usd(1900)) -> OpenPayment:
        """A payment opened now, whatever number it takes."""
        while True:
            intent = self.intent(total)
            try:
                request = self.provider.open(intent)
            except DestinationTaken:
                continue
            self._taken.add(request.due.minor)
            return OpenPayment(
                id=next(self._ids),
                reference=request.reference,
                due=request.due,
                total=total,
                details=request.details,
                created_at=clock.now(),
                expires_at=intent.expires_at,
            )

    def look(self, payment: OpenPayment) -> OpenPayment:
        """The payment with what a check shows now."""
        (seen,) = self.provider.check([payment])
        return keep(payment, seen)

    def post(self, payment: OpenPayment, proof: str) -> OpenPayment:
        """The payment with what a posted proof shows."""
        assert isinstance(self.provider, AcceptsProof)
        return keep(payment, self.provider.submit(payment, proof))

    def _next(self) -> int | None:
        return None if self.provider.sequence is None else next(self._sequence)


def keep(payment: OpenPayment, seen: Observation) -> OpenPayment:
    """The payment with the credits of an observation written down."""
    assert seen.payment_id == payment.id
    known = {credit.reference: credit for credit in payment.credits}
    for credit in seen.credits:
        before = known.get(credit.reference)
        known[credit.reference] = KnownCredit(
            reference=credit.reference,
            amount=credit.amount,
            stage=credit.stage,
            first_seen_at=before.first_seen_at if before else seen.checked_at,
            evidence=credit.evidence,
        )
    proofs = tuple(proof for proof in payment.proofs if proof not in seen.explained)
    return replace(payment, credits=tuple(known.values()), proofs=proofs)


def aged(payment: OpenPayment, seconds: float = 11) -> OpenPayment:
    """The payment as if its credits had been seen for so long already."""
    older = tuple(
        replace(credit, first_seen_at=credit.first_seen_at - timedelta(seconds=seconds))
        for credit in payment.credits
    )
    return replace(payment, credits=older)


def stages(payment: OpenPayment) -> list[Stage]:
    return [credit.stage for credit in payment.credits]


def total_of(credits_: Sequence[KnownCredit]) -> int:
    """Satoshis that count."""
    return sum(credit.amount.minor for credit in credits_ if credit.stage is not Stage.GONE)
