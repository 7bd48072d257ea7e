"""What a payment got: a pure reading of findings against its script, amount and age."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations

from app.money import bsv
from app.payments.base import Credit, KnownCredit, OpenPayment, Stage
from app.payments.onchain.findings import Finding, Word
from app.payments.onchain.policy import Limits, Verdict, is_older_than_payment, judge_depth
from app.payments.onchain.spv.transaction import Transaction

MOST_OUTPUTS = 20  # of one transaction, the largest first: dust by the thousand is not read
RAW_KEPT = 100_000  # bytes of a raw transaction that are kept as evidence


@dataclass(frozen=True, slots=True)
class Target:
    """What pays one payment: this script, and with a shared address only this amount."""

    script: bytes
    exact: int | None = None

    @classmethod
    def of(cls, payment: OpenPayment) -> Target:
        """The target written down when the payment was opened."""
        exact = payment.due.minor if payment.details.get("exact") else None
        return cls(bytes.fromhex(payment.details["script"]), exact)

    def outputs(self, transaction: Transaction) -> list[tuple[int, int]]:
        """Number and satoshis of the outputs that count, in their order."""
        paying = [
            (number, output.satoshis)
            for number, output in enumerate(transaction.outputs)
            if output.script == self.script
            and output.satoshis > 0
            and self.exact in {None, output.satoshis}
        ]
        return sorted(sorted(paying, key=lambda one: -one[1])[:MOST_OUTPUTS])


@dataclass(slots=True)
class Received:
    """The outcome of one reading."""

    credits: list[Credit] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)  # posted ids that need no further look
    refused: dict[str, str] = field(default_factory=dict)  # posted or seen, not ours: why
    complete: bool = True


def txid_in(reference: str) -> str:
    """The transaction id in a credit's reference."""
    return reference.partition(":")[0]


def known_by_txid(payment: OpenPayment) -> dict[str, list[KnownCredit]]:
    """The credits the store holds, gathered by transaction."""
    known: dict[str, list[KnownCredit]] = {}
    for credit in payment.credits:
        known.setdefault(txid_in(credit.reference), []).append(credit)
    return known


def read(
    payment: OpenPayment,
    findings: Iterable[Finding],
    *,
    limits: Limits,
    now: datetime,
    tip: int | None = None,
) -> Received:
    """The credits these findings are to this payment, with how far each is relied on."""
    target, known = Target.of(payment), known_by_txid(payment)
    received = Received()
    live: dict[str, tuple[Finding, list[Credit]]] = {}
    for finding in findings:
        before = known.get(finding.txid, [])
        if finding.word is Word.UNKNOWN:
            received.credits += _gone(before, "the explorer no longer knows it")
            if not before and finding.txid not in payment.proofs:
                received.complete = (
                    False  # it stands in the history: the explorer contradicts itself
                )
        elif finding.raw is None or (finding.word is Word.SILENT and before):
            received.complete = False
        elif why := _refusal(finding, target, payment):
            received.refused[finding.txid] = why
            received.credits += _gone(before, why)
        elif finding.transaction is not None:
            verdict = _doubt(finding, before, payment) or judge_depth(
                total=payment.total,
                limits=limits,
                confirmations=finding.status.confirmations if finding.status else 0,
                transaction=finding.transaction,
                first_seen_at=min((credit.first_seen_at for credit in before), default=now),
                now=now,
                tip=tip,
            )
            live[finding.txid] = (finding, _credits(finding, target, verdict))
    received.credits += _without_conflicts(live, known)
    received.explained = [
        txid for txid in payment.proofs if txid in live or txid in received.refused
    ]
    return received


def _refusal(finding: Finding, target: Target, payment: OpenPayment) -> str | None:
    """Why a transaction is none of this payment's, in the buyer's words."""
    if finding.transaction is None:
        return "This transaction is not well formed."
    if not target.outputs(finding.transaction):
        if target.exact is not None and Target(target.script).outputs(finding.transaction):
            return f"This transaction does not pay exactly {payment.due}."
        return "This transaction pays another address, not the one of this order."
    status = finding.status
    if status is not None and is_older_than_payment(status.block_time, payment.created_at):
        return "This transaction is older than this order."
    return None


def _doubt(finding: Finding, before: Iterable[KnownCredit], payment: OpenPayment) -> Verdict | None:
    """Why a transaction is not relied on however deep it is said to lie."""
    status = finding.status
    if finding.word is not Word.KNOWN or status is None:
        return Verdict(Stage.SEEN, "the explorer has not said where it stands")
    if status.confirmations == 0 and any(credit.stage is Stage.GONE for credit in before):
        return Verdict(Stage.SEEN, "it was gone once and waits for a confirmation")
    if payment.details.get("exact") and status.block_hash and status.block_time is None:
        return Verdict(Stage.SEEN, "the time of its block is not known yet")
    return None


def _credits(finding: Finding, target: Target, verdict: Verdict) -> list[Credit]:
    """One credit for each paying output; the first keeps the raw bytes for all."""
    transaction, status = finding.transaction, finding.status
    if transaction is None or finding.raw is None:
        return []
    evidence = {"reason": verdict.reason, "block_hash": "", "block_height": "", "block_time": ""}
    if status is not None and status.block_hash is not None:
        evidence["block_hash"] = status.block_hash
        if status.block_height is not None:
            evidence["block_height"] = str(status.block_height)
        if status.block_time is not None:
            evidence["block_time"] = status.block_time.isoformat()
    raw = {"raw": finding.raw.hex()} if len(finding.raw) <= RAW_KEPT else {}
    return [
        Credit(
            reference=f"{finding.txid}:{number}",
            amount=bsv(satoshis),
            stage=verdict.stage,
            confirmations=status.confirmations if status is not None else 0,
            evidence=evidence | (raw if place == 0 else {}),
        )
        for place, (number, satoshis) in enumerate(target.outputs(transaction))
    ]


def _gone(before: Iterable[KnownCredit], why: str) -> list[Credit]:
    return [
        Credit(
            reference=credit.reference,
            amount=credit.amount,
            stage=Stage.GONE,
            evidence={**credit.evidence, "reason": why},
        )
        for credit in before
        if credit.stage is not Stage.GONE
    ]


def _without_conflicts(
    live: Mapping[str, tuple[Finding, list[Credit]]], known: Mapping[str, list[KnownCredit]]
) -> list[Credit]:
    """The credits of transactions that can all be true; of two that spend the same coins, one."""
    outpoints = {
        txid: {one.outpoint for one in finding.transaction.inputs} if finding.transaction else set()
        for txid, (finding, _) in live.items()
    }
    lost: set[str] = set()
    doubted: set[str] = set()
    strength = {txid: _strength(finding, known) for txid, (finding, _) in live.items()}
    for one, other in combinations(sorted(live, key=strength.__getitem__, reverse=True), 2):
        if one not in lost and not outpoints[one].isdisjoint(outpoints[other]):
            lost.add(other)
            doubted.add(one)
    kept: list[Credit] = []
    for txid, (_, credits_) in live.items():
        if txid in lost:
            kept += _gone(known.get(txid, []), "another transaction spends the same coins")
        elif txid in doubted:
            kept += [_doubted(credit) for credit in credits_]
        else:
            kept += credits_
    return kept


def _strength(
    finding: Finding, known: Mapping[str, list[KnownCredit]]
) -> tuple[int, bool, float, str]:
    """Deeper first, then what was seen first."""
    confirmations = finding.status.confirmations if finding.status is not None else 0
    before = [credit for credit in known.get(finding.txid, ()) if credit.stage is not Stage.GONE]
    first = min((credit.first_seen_at.timestamp() for credit in before), default=0.0)
    return (confirmations, bool(before), -first, finding.txid)


def _doubted(credit: Credit) -> Credit:
    if credit.confirmations > 0:
        return credit
    reason = "another transaction spends the same coins: it waits for a confirmation"
    return replace(credit, stage=Stage.SEEN, evidence={**credit.evidence, "reason": reason})
