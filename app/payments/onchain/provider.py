"""Bitcoin SV as a payment provider: quotes, addresses, and what arrived at them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    Memory,
    Observation,
    OpenPayment,
    PaymentIntent,
    PaymentRequest,
    ProviderError,
    ProviderUnavailable,
    Quote,
    UnknownProof,
)
from app.payments.onchain import receipts
from app.payments.onchain.addresses import AccountKey, Destination
from app.payments.onchain.findings import Finding, Word, batched, fetch, locate, of_raw
from app.payments.onchain.policy import Limits
from app.payments.onchain.rateboard import RateBoard
from app.payments.onchain.recall import Recall
from app.payments.onchain.receipts import Received, Target, known_by_txid
from app.payments.onchain.spv.transaction import txid_of
from app.payments.onchain.whatsonchain import BULK, TXID, Seen, WhatsOnChain

log = logging.getLogger(__name__)

TIP = "onchain:tip"
TIP_EVERY = timedelta(seconds=20)
TIP_KEPT = timedelta(hours=1)
MOST_NEW = 60  # transactions of one payment in one look, so that dust cannot spend the budget
MOST_KNOWN = 100  # credits of one payment looked after, the largest first
MOST_ADDED = 10_000  # satoshis added to make an amount unique
BLOCKS_BACK = 18  # a block's time may be two hours off: about as many blocks, and half as many more
NEGATIVE_SECONDS = 15.0
UNHEARD = "The network has not shown this transaction yet."
STILL_TIME = 3.0  # seconds after which a waiting person gets no second request


class OnChain:
    """Coins sent to a fresh address of an account, or to one address in an amount of its own."""

    id = "onchain"
    label = "Bitcoin SV"

    def __init__(
        self,
        *,
        network: str,
        receiving: AccountKey | Destination,
        explorer: WhatsOnChain,
        rates: RateBoard,
        memory: Memory,
        limits: Limits,
        window: timedelta,
        margin_percent: Decimal = Decimal(0),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sequence = (
            f"onchain:{receiving.fingerprint}" if isinstance(receiving, AccountKey) else None
        )
        self._network = network
        self._receiving = receiving
        self._explorer = explorer
        self._rates = rates
        self._memory = memory
        self._limits = limits
        self._window = window
        self._margin = margin_percent
        self._monotonic = monotonic
        self._bytes: Recall[bytes] = Recall(4000)
        self._unheard: Recall[float] = Recall(1000)

    # --- before the payment

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
            if (tip := self._tip()) is not None:
                details["height"] = str(tip)
            return self._request(self._receiving, due, intent, reference, details)
        if intent.sequence is None:
            raise ProviderError("a fresh address needs a number")
        destination = self._receiving.destination(intent.sequence)
        if self._has_history(destination.address):
            raise DestinationTaken(f"address {intent.sequence} has been used before")
        details = {"index": str(intent.sequence)}
        return self._request(destination, intent.quote.due, intent, destination.address, details)

    def _has_history(self, address: str) -> bool:
        """Whether the explorer has seen it; one that does not answer does not stop the sale."""
        try:
            return bool(self._explorer.histories([address], urgent=True).get(address))
        except Unavailable as error:
            log.warning("history of a new address: %s", error)
            return False

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

    # --- looking for the money

    def check(self, payments: Sequence[OpenPayment]) -> Iterator[Observation]:
        """What arrived for these payments; ProviderUnavailable when none could be looked at."""
        trouble: Unavailable | None = None
        looked = False
        for batch in batched(payments, BULK):
            try:
                observations = self._look(batch)
            except Unavailable as error:
                log.warning("explorer: %s", error)
                trouble = error
            else:
                looked = looked or bool(observations)
                yield from observations
        if payments and not looked:
            raise ProviderUnavailable(str(trouble or "the explorer answered about none of them"))

    def _look(self, payments: list[OpenPayment]) -> list[Observation]:
        now, tip = clock.now(), self._tip()
        addresses = {payment.id: payment.details["address"] for payment in payments}
        histories = self._explorer.histories(list(dict.fromkeys(addresses.values())))
        wanted: dict[int, list[str]] = {}
        complete: dict[int, bool] = {}
        for payment in payments:
            history = histories.get(addresses[payment.id])
            if history is not None:
                every = _wanted(payment, history)
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
        return receipts.read(payment, about, limits=self._limits, now=now, tip=tip)

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
        if finding.raw is not None and len(finding.raw) <= 4096:
            self._bytes.put(finding.txid, finding.raw)

    # --- a transaction id posted by the buyer

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
        txid = self.normalise_proof(proof)
        now, began = clock.now(), self._monotonic()
        posted = self._posted(payment, txid, began)
        findings = {txid: posted} | self._rivals(payment, posted)
        if _matters(payment, posted) and self._monotonic() - began < STILL_TIME:
            findings = locate(self._explorer, findings, _block_times(payment), urgent=True)
        received = self._read(payment, findings.values(), now, self._tip())
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

    # --- between payments

    def upkeep(self) -> None:
        """Keep the rate and the chain's tip young, so that no buyer waits for them."""
        now = clock.now()
        self._rates.renew(now)
        found = self._memory.get(TIP)
        if found is not None and abs(now - found[1]) < TIP_EVERY:
            return
        try:
            tip = self._explorer.tip()
        except Unavailable as error:
            log.warning("the chain's tip: %s", error)
        else:
            self._memory.put(TIP, {"height": tip.height, "hash": tip.block_hash})

    def _tip(self) -> int | None:
        """The height of the last block, if heard of lately."""
        found = self._memory.get(TIP)
        if found is None or abs(clock.now() - found[1]) > TIP_KEPT:
            return None
        return int(found[0]["height"])


def _unique(due: Money, taken: frozenset[int]) -> Money:
    """The amount, with the fewest satoshis added that make it nobody else's."""
    for more in range(MOST_ADDED):
        if due.minor + more not in taken:
            return bsv(due.minor + more)
    raise ProviderUnavailable("too many open payments of the same amount")


def _wanted(payment: OpenPayment, history: Iterable[Seen]) -> list[str]:
    """The transactions that are no credits yet: posted ones first, then the history's."""
    known = known_by_txid(payment)
    opened_at = payment.details.get("height")
    oldest = int(opened_at) - BLOCKS_BACK if opened_at else 0
    recent = [seen.txid for seen in history if seen.height is None or seen.height >= oldest]
    return [txid for txid in dict.fromkeys([*payment.proofs, *recent]) if txid not in known]


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
        if {"block_hash", "block_time"} <= credit.evidence.keys()
    }


def _evidence_bytes(evidence: Mapping[str, str]) -> bytes | None:
    raw = evidence.get("raw")
    return bytes.fromhex(raw) if raw else None
