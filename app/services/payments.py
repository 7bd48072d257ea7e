"""The one door for money: whatever hints at a payment is looked into here.

Nothing holds a transaction while a provider is asked, so `refresh` and `submit` end the one they
find (docs/adr/0002). What a provider saw goes to `verdicts.record`, one transaction each.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from app import clock
from app.extensions import db, reading
from app.models import (
    Payment,
    PostedProof,
)
from app.models.payment import OPEN
from app.payments.base import (
    AcceptsProof,
    InvalidProof,
    KnownCredit,
    Observation,
    OpenPayment,
    PaymentProvider,
    ProviderUnavailable,
    UnknownProof,
)
from app.services import outbox, schedule, verdicts
from app.services.openings import offered
from app.wiring import wiring

log = logging.getLogger(__name__)

BATCH = 100  # payments looked at in one go
PROOFS_KEPT = 5  # posted ids nobody has heard of yet, for each payment


class TransactionAlreadyUsed(InvalidProof):
    """The posted transaction has paid another payment."""


def refresh(payment_ids: Iterable[int]) -> list[int]:
    """Ask the providers about these payments and record what they see; say of which. Commits."""
    with reading():
        found = db.session.scalars(
            select(Payment)
            .where(Payment.id.in_(list(payment_ids)))
            .options(selectinload(Payment.credits), selectinload(Payment.proofs))
        ).all()
        by_provider: dict[str, list[OpenPayment]] = {}
        for payment in found:
            by_provider.setdefault(payment.provider, []).append(_as_open(payment))
        db.session.rollback()
    seen: list[int] = []
    for provider_id, payments in by_provider.items():
        provider = wiring().providers.get(provider_id)
        if provider is None:
            log.error("payments of “%s” are open, but it is no longer configured", provider_id)
            continue
        for observation in _look(provider, payments):
            if outbox.stopping.is_set():
                return seen
            try:
                verdicts.record(observation)
            except Exception:  # one broken payment must not stop the others
                db.session.rollback()
                log.exception("what was seen of payment %s is not kept", observation.payment_id)
            else:
                seen.append(observation.payment_id)
    return seen


def _look(provider: PaymentProvider, payments: Sequence[OpenPayment]) -> Iterator[Observation]:
    """What the provider sees; where it breaks down, it is asked again by halves."""
    left = {payment.id: payment for payment in payments}
    try:
        for observation in provider.check(payments):
            left.pop(observation.payment_id, None)
            yield observation
    except ProviderUnavailable as error:
        log.warning("%s could not look: %s", provider.id, error)
    except Exception:
        log.exception("%s broke down over payments %s", provider.id, sorted(left))
        rest = list(left.values())
        middle = (len(rest) + 1) // 2
        for some in (rest[:middle], rest[middle:]):
            if some and len(payments) > 1:
                yield from _look(provider, some)


def submit(payment_id: int, proof: str) -> Payment:
    """Examine what a buyer posted and record what it shows. Commits.

    InvalidProof (TransactionAlreadyUsed) in the buyer's words; UnknownProof and ProviderUnavailable
    when the worker will look again.
    """
    with reading():
        payment = db.session.get_one(Payment, payment_id)
        known = _as_open(payment)
        provider = offered(payment.provider)
        db.session.rollback()
    if not isinstance(provider, AcceptsProof):
        raise InvalidProof("This way to pay needs no transaction ID.")
    proof = provider.normalise_proof(proof)
    try:
        observation = provider.submit(known, proof)
    except (UnknownProof, ProviderUnavailable):
        _keep(payment_id, proof)
        raise
    payment = verdicts.record(observation)
    mine = {credit.reference for credit in payment.credits}
    if observation.credits and not any(credit.reference in mine for credit in observation.credits):
        raise TransactionAlreadyUsed(
            "This transaction has already paid another order. "
            "Please send the ID of the one for this order."
        )
    return payment


def ask_again(payment: Payment) -> None:
    """Somebody is waiting in front of this payment: let the worker look at it soon."""
    now = clock.now()
    payment.viewed_at = now
    if payment.next_check_at is not None:
        payment.next_check_at = min(payment.next_check_at, now + schedule.SOON)


def _keep(payment_id: int, proof: str) -> None:
    """Remember a posted id that could not be examined, for the worker."""
    payment = db.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    if proof not in {kept.proof for kept in payment.proofs}:
        for oldest in payment.proofs[: max(len(payment.proofs) - PROOFS_KEPT + 1, 0)]:
            db.session.delete(oldest)
        payment.proofs.append(PostedProof(proof=proof, posted_at=clock.now()))
    ask_again(payment)
    db.session.commit()


def _as_open(payment: Payment) -> OpenPayment:
    return OpenPayment(
        id=payment.id,
        reference=payment.reference,
        due=payment.due,
        total=payment.total,
        details=payment.details,
        created_at=payment.created_at,
        expires_at=payment.expires_at,
        credits=tuple(
            KnownCredit(
                reference=credit.reference,
                amount=credit.amount,
                stage=credit.stage,
                first_seen_at=credit.first_seen_at,
                evidence=credit.evidence,
            )
            for credit in payment.credits
        ),
        proofs=tuple(posted.proof for posted in payment.proofs),
    )


def check_due(*, limit: int = BATCH) -> int:
    """Look at the payments whose time has come; say how many were seen. Commits."""
    with reading():  # a look without the write lock, since mostly there is nothing
        due = db.session.scalar(
            select(Payment.id).where(Payment.next_check_at <= clock.now()).limit(1)
        )
        db.session.rollback()
    if due is None:
        return 0
    ids = _claim_due(limit)
    db.session.commit()
    seen = set(refresh(ids))
    left_out = [id_ for id_ in ids if id_ not in seen]
    if left_out:
        _try_again(left_out, at=clock.now() + schedule.AFTER_FAILURE)
        db.session.commit()
    return len(seen)


def check_open() -> int:
    """Look at every open payment, due or not; say how many were seen. Commits."""
    with reading():
        ids = db.session.scalars(
            select(Payment.id).where(Payment.status.in_(OPEN)).order_by(Payment.id)
        ).all()
        db.session.rollback()
    return sum(len(refresh(ids[at : at + BATCH])) for at in range(0, len(ids), BATCH))


def _claim_due(limit: int) -> Sequence[int]:
    """Lease the payments that are due, so that no other worker looks at them meanwhile."""
    now = clock.now()
    due = (
        select(Payment.id)
        .where(Payment.next_check_at <= now)
        .order_by(Payment.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    claim = (
        update(Payment)
        .where(Payment.id.in_(due))
        .values(next_check_at=now + schedule.LEASE)
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    )
    return list(db.session.scalars(claim))


def _try_again(ids: Sequence[int], *, at: datetime) -> None:
    db.session.execute(
        update(Payment)
        .where(Payment.id.in_(ids), Payment.next_check_at.is_not(None), Payment.next_check_at > at)
        .values(next_check_at=at)
        .execution_options(synchronize_session=False)
    )
