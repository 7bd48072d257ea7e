"""An explorer with memory, which speaks WhatsOnChain's bodies and can misbehave.

It answers through `responses`: `with explorer.answering(): ...`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import requests
import responses

from app import clock
from app.payments.onchain.addresses import single
from app.payments.onchain.spv.transaction import txid_of

BASE = "http://explorer.test/v1/bsv/test"
RATES = "http://rates.test"

# Every way in which an answer is of no use. All of them mean "wait".
FAULTS = (
    "timeout",
    "reset",
    "500",
    "429",
    "html",
    "truncated",
    "null",
    "empty",
    "nan",
    "strings",
    "negative",
    "boolean",
    "other_tx",
    "huge",
    "redirect",
    "wrong_raw",
)


@dataclass
class _Entry:
    raw: bytes
    height: int | None = None
    block_time: int | None = None
    indexed: bool = True


class FakeExplorer:
    """Transactions a test sends, blocks a test mines, faults a test chooses."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self._fault_at = re.compile("")
        self.height = 1000
        self.tells_block_time = True
        self.asked: list[str] = []  # the paths, in order
        self.prices: dict[str, Any] = {"whatsonchain": 25.0, "coingecko": 25.1, "gate": 24.9}
        self._entries: dict[str, _Entry] = {}
        self._forks = 0

    # What a test says.

    def send(self, raw: bytes, *, indexed: bool = True) -> str:
        """Take a transaction into the mempool; not `indexed`: no address history names it yet."""
        txid = txid_of(raw)
        self._entries[txid] = _Entry(raw, indexed=indexed)
        return txid

    def mine(self, txid: str, *, depth: int = 1, block_time: int | None = None) -> None:
        """Put a transaction `depth` deep under the tip."""
        entry = self._entries[txid]
        entry.height = self.height - depth + 1
        entry.block_time = int(clock.now().timestamp()) if block_time is None else block_time
        entry.indexed = True

    def unmine(self, txid: str) -> None:
        """Undo its block: it waits again."""
        self._forks += 1
        self._entries[txid].height = self._entries[txid].block_time = None

    def forget(self, txid: str) -> None:
        """Know nothing of it any more."""
        del self._entries[txid]

    def lie(self, txid: str, raw: bytes) -> None:
        """Give other bytes for a transaction than those that hash to its id."""
        self._entries[txid].raw = raw

    def misbehave(self, fault: str | None, path: str = "") -> None:
        """Answer with this fault from now on, at the paths that match; None: behave."""
        self.fault, self._fault_at = fault, re.compile(path)

    @contextmanager
    def answering(self) -> Iterator[responses.RequestsMock]:
        """Answer at `BASE` and `RATES`; nothing else can be reached."""
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in (responses.GET, responses.POST):
                mock.add_callback(method, re.compile(re.escape(BASE)), self._answer)
            mock.add_callback(responses.GET, re.compile(re.escape(RATES)), self._rate)
            yield mock

    # What it answers.

    def _answer(self, request: Any) -> Any:
        path = request.url.removeprefix(BASE)
        self.asked.append(path)
        faulty = self.fault is not None and self._fault_at.search(path) is not None
        if faulty and (broken := self._broken_before(self.fault or "")) is not None:
            return broken
        status, body = self._body(path, json.loads(request.body) if request.body else {})
        if faulty and status == 200:
            body = self._broken(self.fault or "", body)
        return (status, {}, body if isinstance(body, str) else json.dumps(body))

    def _body(self, path: str, asked: dict[str, list[str]]) -> tuple[int, Any]:
        if path == "/chain/info":
            return 200, {"blocks": self.height, "bestblockhash": self._block(self.height)}
        if path == "/addresses/history/all":
            return 200, [self._history(address) for address in asked["addresses"][:20]]
        if path == "/txs/hex":
            return 200, [self._hex(txid) for txid in asked["txids"][:20]]
        if path == "/txs/status":
            return 200, [self._status(txid) for txid in asked["txids"][:20]]
        if match := re.fullmatch(r"/tx/([0-9a-f]{64})/hex", path):
            entry = self._entries.get(match[1])
            return (200, entry.raw.hex()) if entry else (404, "Not Found")
        if match := re.fullmatch(r"/tx/hash/([0-9a-f]{64})", path):
            entry = self._entries.get(match[1])
            return (200, self._standing(match[1], alone=True)) if entry else (404, "Not Found")
        return 400, "txid must be 64 hex characters in length"

    def _history(self, address: str) -> dict[str, Any]:
        script = single(address, "test").script
        mine = {
            txid: entry
            for txid, entry in self._entries.items()
            if entry.indexed and bytes([len(script)]) + script in entry.raw
        }
        waiting = [{"tx_hash": txid} for txid, entry in mine.items() if entry.height is None]
        mined = [
            {"tx_hash": txid, "height": entry.height}
            for txid, entry in mine.items()
            if entry.height is not None
        ]
        return {
            "address": address,
            "script": sha256(script).digest()[::-1].hex(),
            "unconfirmed": {"result": waiting or None, "error": ""},
            "confirmed": {"result": mined or None, "error": ""},
        }

    def _hex(self, txid: str) -> dict[str, Any]:
        entry = self._entries.get(txid)
        return {"txid": txid, "hex": entry.raw.hex()} if entry else _unknown(txid)

    def _status(self, txid: str) -> dict[str, Any]:
        return self._standing(txid) if txid in self._entries else _unknown(txid)

    def _standing(self, txid: str, *, alone: bool = False) -> dict[str, Any]:
        entry = self._entries[txid]
        if entry.height is None:
            return {"txid": txid}
        standing = {
            "txid": txid,
            "blockhash": self._block(entry.height),
            "blockheight": entry.height,
            "confirmations": self.height - entry.height + 1,
        }
        if alone or self.tells_block_time:
            standing["blocktime"] = entry.block_time or 0
        return standing

    def _block(self, height: int) -> str:
        return sha256(f"{height} {self._forks}".encode()).hexdigest()

    # How it misbehaves.

    def _broken_before(self, fault: str) -> Any:
        match fault:
            case "timeout":
                raise requests.ReadTimeout
            case "reset":
                raise requests.ConnectionError
            case "500":
                return (500, {}, "<html>500</html>")
            case "429":
                return (429, {"Retry-After": "1"}, "Too Many Requests")
            case "redirect":
                return (302, {"Location": f"{BASE}/chain/info"}, "")
            case "html":
                return (200, {}, "<!doctype html><title>Just a moment</title>")
            case "null" | "empty":
                return (200, {}, {"null": "null", "empty": "[]"}[fault])
            case "huge":
                return (200, {}, "[" + " " * 5_000_000 + "]")
        return None

    def _broken(self, fault: str, body: Any) -> Any:
        if fault == "truncated":
            text = body if isinstance(body, str) else json.dumps(body)
            return text[: len(text) // 2]
        if isinstance(body, str):
            return self._other().raw.hex() if fault in {"other_tx", "wrong_raw"} else body + "zz"
        if fault == "other_tx":
            return [self._about_other(one) for one in body] if isinstance(body, list) else {}
        if fault == "wrong_raw":
            return _each(body, "hex", lambda _: self._other().raw.hex())
        wrong: Any = {
            "nan": float("nan"),
            "strings": "7",
            "negative": -1,
            "boolean": True,
        }[fault]
        for name in ("confirmations", "hex", "confirmed"):
            body = _each(body, name, lambda _: wrong)
        return body

    def _about_other(self, element: dict[str, Any]) -> dict[str, Any]:
        other = self._other()
        about = {"txid": txid_of(other.raw), "address": "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8"}
        return element | {name: about[name] for name in about if name in element}

    def _other(self) -> _Entry:
        from tests.fakes.transactions import build, p2pkh

        return _Entry(build([(1, p2pkh(b"\x99" * 20))]))

    def _rate(self, request: Any) -> Any:
        name = request.url.removeprefix(RATES).strip("/")
        self.asked.append(f"rate:{name}")
        price = self.prices.get(name)
        if price is None:
            return (503, {}, "")
        if isinstance(price, Exception):
            raise price
        at = int(clock.now().timestamp())
        body = {
            "whatsonchain": {"rate": price, "time": at, "currency": "USD"},
            "coingecko": {"bitcoin-cash-sv": {"usd": price, "last_updated_at": at}},
            "gate": [{"currency_pair": "BSV_USDT", "last": str(price)}],
        }[name]
        return (200, {}, json.dumps(body))


def _unknown(txid: str) -> dict[str, Any]:
    return {"txid": txid, "error": "unknown"}


def _each(body: Any, name: str, change: Any) -> Any:
    if not isinstance(body, list):
        return body
    return [one | {name: change(one[name])} if name in one else one for one in body]
