"""Looking for the money: many payments at once, or one posted transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from app import clock
from app.http import Unavailable
from app.payments.base import (
    InvalidProof,
    Memory,
    Observation,
    OpenPayment,
    ProviderUnavailable,
    UnknownProof,
)
from app.payments.onchain import receipts
from app.payments.onchain.findings import Finding, Word, fetch, locate, of_raw
from app.payments.onchain.policy import Limits
from app.payments.onchain.recall import Recall
from app.payments.onchain.receipts import Received, Target, known_by_txid
from app.payments.onchain.spv.transaction import txid_of
from app.payments.onchain.whatsonchain import Seen, WhatsOnChain

log = logging.getLogger(__name__)

TIP = "onchain:tip"
TIP_EVERY = timedelta(seconds=20)
TIP_KEPT = timedelta(hours=1)
MOST_NEW = 60  # transactions of one payment in one look, so that dust cannot spend the budget
MOST_KNOWN = 100  # credits of one payment looked after, the largest first
BLOCKS_BACK = 18  # a block's time may be two hours off: about as many blocks, and half as many more
BYTES_RECALLED = 16_384  # of one transaction
NEGATIVE_SECONDS = 15.0
STILL_TIME = 3.0  # seconds after which a waiting person gets no second request
UNHEARD = "The network has not shown this transaction yet."


class Lookout:
    """Asks the explorer, checks its answers here, and says what each payment received."""

    def __init__(
        self,
        explorer: WhatsOnChain,
        memory: Memory,
        limits: Limits,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._explorer = explorer
        self._memory = memory
        self._limits = limits
        self._monotonic = monotonic
        self._bytes: Recall[bytes] = Recall(500)
        self._dismissed: Recall[str] = Recall(50_000)  # what is none of a payment's, and why
        self._unheard: Recall[float] = Recall(1000)

    def at_payments(self, payments: Sequence[OpenPayment]) -> list[Observation]:
        """What arrived for up to 20 payments; those the explorer said nothing of are left out."""
        now, tip = clock.now(), self.tip()
        addresses = {payment.id: payment.details["address"] for payment in payments}
        histories = self._explorer.histories(list(dict.fromkeys(addresses.values())))
        wanted: dict[int, list[str]] = {}
        complete: dict[int, bool] = {}
        for payment in payments:
            history = histories.get(addresses[payment.id])
            if history is not None:
                every = self._wanted(payment, history)
                wanted[payment.id] = every[:MOST_NEW]
                complete[payment.id] = len(every) <= MOST_NEW
        looked_at = [payment for payment in payments if payment.id in wanted]
        findings = self._find(looked_at, wanted)
        return [
            self._observation(
                payment,
                self._read(payment, _about(payment, findings, wanted[payment.id]), now, tip),
                now,
                complete=complete[payment.id],
            )
            for payment in looked_at
        ]

    def _wanted(self, payment: OpenPayment, history: Iterable[Seen]) -> list[str]:
        """The transactions that are no credits yet: posted ones first, then the history's."""
        known = known_by_txid(payment)
        opened_at = payment.details.get("height")
        oldest = int(opened_at) - BLOCKS_BACK if opened_at else 0
        recent = [
            seen.txid
            for seen in history
            if (seen.height is None or seen.height >= oldest)
            and not self._dismissed.get(_about_this(payment, seen.txid))
        ]
        return [txid for txid in dict.fromkeys([*payment.proofs, *recent]) if txid not in known]

    def _find(
        self, payments: list[OpenPayment], wanted: Mapping[int, list[str]]
    ) -> dict[str, Finding]:
        """The findings for all of them at once, so that a batch costs few requests."""
        have: dict[str, Finding] = {}
        for payment in payments:
            have |= self._remembered(payment, wanted[payment.id])
        every = {txid for payment in payments for txid in _cared_for(payment, wanted[payment.id])}
        fetched = fetch(self._explorer, sorted(every - have.keys()))
        for finding in fetched.values():
            self._recall(finding)
        have |= fetched
        matter = {
            finding.txid: finding
            for payment in payments
            for finding in _about(payment, have, wanted[payment.id])
            if _matters(payment, finding)
        }
        times = {key: at for payment in payments for key, at in _block_times(payment).items()}
        return have | locate(self._explorer, matter, times)

    def _observation(
        self, payment: OpenPayment, received: Received, now: datetime, *, complete: bool
    ) -> Observation:
        return Observation(
            payment_id=payment.id,
            credits=received.credits,
            checked_at=now,
            complete=complete and received.complete,
            explained=received.explained,
        )

    def _read(
        self, payment: OpenPayment, about: Iterable[Finding], now: datetime, tip: int | None
    ) -> Received:
        received = receipts.read(payment, about, limits=self._limits, now=now, tip=tip)
        for txid, why in received.refused.items():
            self._dismissed.put(_about_this(payment, txid), why)
        return received

    def _remembered(self, payment: OpenPayment, txids: Iterable[str]) -> dict[str, Finding]:
        """Findings whose bytes need not be fetched: kept as evidence, or seen a moment ago."""
        found = {}
        for credit in payment.credits:
            txid = receipts.txid_in(credit.reference)
            raw = _evidence_bytes(credit.evidence)
            if raw is not None and txid_of(raw) == txid:
                found[txid] = of_raw(txid, raw)
        for txid in txids:
            raw = self._bytes.get(txid)
            if txid not in found and raw is not None:
                found[txid] = of_raw(txid, raw)
        return found

    def _recall(self, finding: Finding) -> None:
        if finding.raw is not None and len(finding.raw) <= BYTES_RECALLED:
            self._bytes.put(finding.txid, finding.raw)

    def at_transaction(self, payment: OpenPayment, txid: str) -> Observation:
        """What one posted transaction is to one payment, in two requests or so."""
        now, began = clock.now(), self._monotonic()
        posted = self._posted(payment, txid, began)
        findings = {txid: posted} | self._rivals(payment, posted)
        if _matters(payment, posted) and self._monotonic() - began < STILL_TIME:
            findings = locate(self._explorer, findings, _block_times(payment), urgent=True)
        received = self._read(payment, findings.values(), now, self.tip())
        if txid in received.refused:
            raise InvalidProof(received.refused[txid])
        if findings[txid].word is Word.UNKNOWN and txid not in known_by_txid(payment):
            raise UnknownProof(UNHEARD)
        return Observation(
            payment_id=payment.id,
            credits=received.credits,
            checked_at=now,
            complete=False,
            explained=[txid],
        )

    def _posted(self, payment: OpenPayment, txid: str, began: float) -> Finding:
        remembered = self._remembered(payment, [txid])
        if txid in remembered:
            return remembered[txid]
        if began < (self._unheard.get(txid) or began):
            raise UnknownProof(UNHEARD)
        try:
            raw = self._explorer.raw_now(txid)
        except Unavailable as error:
            raise ProviderUnavailable(str(error)) from error
        if raw is None:
            self._unheard.put(txid, began + NEGATIVE_SECONDS)
            raise UnknownProof(UNHEARD)
        finding = of_raw(txid, raw)
        self._recall(finding)
        return finding

    def _rivals(self, payment: OpenPayment, posted: Finding) -> dict[str, Finding]:
        """Credits already held that spend the same coins as the posted transaction."""
        if posted.transaction is None:
            return {}
        coins = {one.outpoint for one in posted.transaction.inputs}
        return {
            txid: known
            for txid, known in self._remembered(payment, ()).items()
            if txid != posted.txid
            and known.transaction is not None
            and not coins.isdisjoint(one.outpoint for one in known.transaction.inputs)
        }

    def has_history(self, address: str) -> bool:
        """Whether the explorer has seen an address; Unavailable is no reason not to sell."""
        try:
            return bool(self._explorer.histories([address], urgent=True).get(address))
        except Unavailable as error:
            log.warning("history of a new address: %s", error)
            return False

    def renew_tip(self) -> None:
        """Ask for the chain's last block, if that was not done a moment ago."""
        found = self._memory.get(TIP)
        if found is not None and abs(clock.now() - found[1]) < TIP_EVERY:
            return
        try:
            tip = self._explorer.tip()
        except Unavailable as error:
            log.warning("the chain's tip: %s", error)
        else:
            self._memory.put(TIP, {"height": tip.height, "hash": tip.block_hash})

    def tip(self) -> int | None:
        """The height of the last block, if heard of lately."""
        found = self._memory.get(TIP)
        if found is None or abs(clock.now() - found[1]) > TIP_KEPT:
            return None
        return int(found[0]["height"])


def _about_this(payment: OpenPayment, txid: str) -> str:
    return f"{payment.reference} {txid}"


def _cared_for(payment: OpenPayment, wanted: Iterable[str]) -> list[str]:
    """The known credits' transactions, the largest first, and then the wanted ones."""
    by_size = sorted(payment.credits, key=lambda credit: -credit.amount.minor)[:MOST_KNOWN]
    return list(dict.fromkeys([*(receipts.txid_in(one.reference) for one in by_size), *wanted]))


def _about(
    payment: OpenPayment, findings: Mapping[str, Finding], wanted: Iterable[str]
) -> list[Finding]:
    return [findings.get(txid, Finding(txid)) for txid in _cared_for(payment, wanted)]


def _matters(payment: OpenPayment, finding: Finding) -> bool:
    """Whether where it stands makes a difference: it pays this payment, or did."""
    if finding.txid in known_by_txid(payment):
        return True
    return finding.transaction is not None and bool(Target.of(payment).outputs(finding.transaction))


def _block_times(payment: OpenPayment) -> dict[str, datetime]:
    """The times of blocks that are written in the evidence already."""
    return {
        credit.evidence["block_hash"]: datetime.fromisoformat(credit.evidence["block_time"])
        for credit in payment.credits
        if credit.evidence.get("block_hash") and credit.evidence.get("block_time")
    }


def _evidence_bytes(evidence: Mapping[str, str]) -> bytes | None:
    raw = evidence.get("raw")
    return bytes.fromhex(raw) if raw else None
