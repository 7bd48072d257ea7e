"""The explorer: a client for whatever speaks WhatsOnChain's paths and bodies.

It tells *unknown* (the explorer has not heard of it) from *unavailable* (anything else), takes no
word for a raw transaction that it can hash itself, and lets one bad element of a bulk answer count
against that element alone.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from app.http import Budget, HttpClient, Reply, TokenBucket, TooLong, Unavailable
from app.payments.onchain.spv.transaction import txid_of

log = logging.getLogger(__name__)

OFFICIAL = "https://api.whatsonchain.com"
BULK = 20
TXID = re.compile(r"[0-9a-f]{64}")
UNKNOWN = re.compile(r"unknown|not found|no such", re.IGNORECASE)
PATIENCE = 15.0  # seconds the worker waits for its turn
HASTE = 0.7  # seconds a person's request waits for its turn
MOST_BLOCKS = 100_000_000  # a height or depth beyond this is nonsense


@dataclass(frozen=True, slots=True)
class Status:
    """Where the explorer says a transaction stands; zero confirmations: in the mempool."""

    txid: str
    confirmations: int = 0
    block_hash: str | None = None
    block_height: int | None = None
    block_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A transaction in an address's history; no height: unconfirmed."""

    txid: str
    height: int | None


@dataclass(frozen=True, slots=True)
class Tip:
    height: int
    block_hash: str


class WhatsOnChain:
    """The explorer at `url`: its root, or all of it up to and including `/v1/bsv/<network>`.

    A bulk method answers a mapping; what is missing in it the explorer did not say, and what is
    None the explorer does not know. All raise `Unavailable` when there was no usable answer.
    """

    def __init__(
        self,
        url: str | None,
        *,
        network: str,
        api_key: str | None = None,
        budget: Budget | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base = base_url(url, network)
        headers = {"Authorization": api_key} if api_key else {}
        self._patient = HttpClient(headers=headers)
        # Two of these in a row must answer a person within ten seconds, whatever the explorer does.
        self._hasty = HttpClient(headers=headers, connect=1.0, read=2.5, retries=0)
        self._budget = budget or TokenBucket(3.0)
        self._monotonic = monotonic
        self._silent_until = 0.0

    def histories(self, addresses: Sequence[str], *, urgent: bool = False) -> dict[str, list[Seen]]:
        """The transactions of up to 20 addresses."""
        body = self._post("/addresses/history/all", {"addresses": list(addresses)}, urgent).json()
        found = {}
        for address, element in _elements(body, "address", addresses):
            seen = _history(element)
            if seen is not None:
                found[address] = seen
        return found

    def raw(self, txids: Sequence[str], *, urgent: bool = False) -> dict[str, bytes | None]:
        """The bytes of up to 20 transactions, each of which hashes to its id."""
        _check(txids)
        try:
            body = self._post("/txs/hex", {"txids": list(txids)}, urgent).json()
        except TooLong:
            if len(txids) == 1:
                log.warning("transaction %s is too long to be looked at", txids[0])
                return {}
            half = len(txids) // 2
            return self.raw(txids[:half], urgent=urgent) | self.raw(txids[half:], urgent=urgent)
        found: dict[str, bytes | None] = {}
        for txid, element in _elements(body, "txid", txids):
            if _is_unknown(element):
                found[txid] = None
            elif (raw := _verified(txid, element.get("hex"))) is not None:
                found[txid] = raw
        return found

    def raw_now(self, txid: str) -> bytes | None:
        """The bytes of one transaction a person waits for; None when the explorer has none."""
        _check([txid])
        reply = self._get(f"/tx/{txid}/hex", urgent=True)
        if reply.status == 404:
            return None
        raw = _verified(txid, reply.text.strip('"')) if reply.status == 200 else None
        if raw is None:
            raise Unavailable("the answer is not that transaction")
        return raw

    def statuses(self, txids: Sequence[str], *, urgent: bool = False) -> dict[str, Status | None]:
        """How deep up to 20 transactions lie."""
        _check(txids)
        body = self._post("/txs/status", {"txids": list(txids)}, urgent).json()
        found: dict[str, Status | None] = {}
        for txid, element in _elements(body, "txid", txids):
            if _is_unknown(element):
                found[txid] = None
            elif (status := _status(txid, element)) is not None:
                found[txid] = status
        return found

    def transaction(self, txid: str, *, urgent: bool = False) -> Status | None:
        """What the explorer says about one transaction, the time of its block included."""
        _check([txid])
        reply = self._get(f"/tx/hash/{txid}", urgent=urgent)
        if reply.status == 404:
            return None
        body = reply.json() if reply.status == 200 else None
        if not isinstance(body, dict) or body.get("txid") != txid:
            raise Unavailable("the answer is not about that transaction")
        if (status := _status(txid, body)) is None:
            raise Unavailable("the answer does not make sense")
        return status

    def tip(self) -> Tip:
        """The last block the explorer has."""
        reply = self._get("/chain/info", urgent=True)
        body = reply.json() if reply.status == 200 else None
        if not isinstance(body, dict):
            raise Unavailable("the answer is not about the chain")
        height, block_hash = _count(body.get("blocks")), _hash(body.get("bestblockhash"))
        if height is None or block_hash is None:
            raise Unavailable("the answer is not about the chain")
        return Tip(height, block_hash)

    def _get(self, path: str, *, urgent: bool) -> Reply:
        return self._within_budget(urgent, lambda client: client.get(self.base + path))

    def _post(self, path: str, body: Mapping[str, Any], urgent: bool) -> Reply:
        reply = self._within_budget(urgent, lambda client: client.post(self.base + path, body))
        if reply.status != 200:  # a bulk endpoint that is not there is no answer about its elements
            raise Unavailable(f"server answered {reply.status}")
        return reply

    def _within_budget(self, urgent: bool, ask: Callable[[HttpClient], Reply]) -> Reply:
        if self._monotonic() < self._silent_until:
            raise Unavailable("asked to wait")
        if not self._budget.take(urgent=urgent, wait=HASTE if urgent else PATIENCE):
            raise Unavailable("no request left in the budget")
        try:
            return ask(self._hasty if urgent else self._patient)
        except Unavailable as error:
            if error.retry_after is not None:
                self._silent_until = self._monotonic() + error.retry_after
            raise


def base_url(url: str | None, network: str) -> str:
    """The address before the paths; the sandbox chain speaks as a test network."""
    root = (url or OFFICIAL).rstrip("/")
    if "/v1/bsv/" in urlsplit(root).path + "/":
        return root
    return f"{root}/v1/bsv/{'main' if network == 'main' else 'test'}"


def _check(txids: Sequence[str]) -> None:
    """Nothing but ids ever reaches a URL."""
    for txid in txids:
        if not TXID.fullmatch(txid):
            raise ValueError("not a transaction id")


def _elements(
    body: Any, name: str, asked: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The elements of a bulk answer that are about something that was asked."""
    if not isinstance(body, list):
        raise Unavailable("the answer is not a list")
    for element in body:
        if isinstance(element, dict) and element.get(name) in asked:
            yield str(element[name]), element


def _is_unknown(element: Mapping[str, Any]) -> bool:
    error = element.get("error")
    return isinstance(error, str) and UNKNOWN.search(error) is not None


def _verified(txid: str, text: Any) -> bytes | None:
    """The bytes in `text`, if they hash to the id; an explorer that says otherwise is not heard."""
    try:
        raw = bytes.fromhex(text)
    except (TypeError, ValueError):
        return None
    if txid_of(raw) != txid:
        log.warning("the explorer gave other bytes for transaction %s", txid)
        return None
    return raw


def _history(element: Mapping[str, Any]) -> list[Seen] | None:
    """The transactions of one address; None when either half of the answer is not usable."""
    seen: dict[str, Seen] = {}
    for part in ("unconfirmed", "confirmed"):
        half = element.get(part)
        if not isinstance(half, dict) or half.get("error"):
            return None
        result = half.get("result")
        if result is None:
            continue
        if not isinstance(result, list):
            return None
        for entry in result:
            txid = _hash(entry.get("tx_hash")) if isinstance(entry, dict) else None
            if txid is None:
                return None
            height = _count(entry.get("height")) if part == "confirmed" else None
            seen[txid] = Seen(txid, height or None)
    return list(seen.values())


def _status(txid: str, element: Mapping[str, Any]) -> Status | None:
    """The status in one element; None when its parts do not make sense together."""
    if element.get("error"):
        return None
    said = element.get("confirmations")
    confirmations = 0 if said is None else _count(said)
    block_hash = element.get("blockhash")
    if confirmations == 0 and not block_hash:
        return Status(txid)
    if not confirmations or (block_hash := _hash(block_hash)) is None:
        return None
    return Status(
        txid,
        confirmations,
        block_hash,
        _count(element.get("blockheight")),
        _moment(element.get("blocktime")),
    )


def _hash(value: Any) -> str | None:
    return value if isinstance(value, str) and TXID.fullmatch(value) else None


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST_BLOCKS else None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**32:
        return None
    return datetime.fromtimestamp(value, UTC)
