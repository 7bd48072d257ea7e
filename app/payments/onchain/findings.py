"""What the explorer says about some transactions, gathered in few requests.

One failing request leaves its transactions silent instead of failing the look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from app.http import Unavailable
from app.payments.onchain.spv.transaction import MalformedTransaction, Transaction, parse
from app.payments.onchain.whatsonchain import BULK, Status, WhatsOnChain

log = logging.getLogger(__name__)

T = TypeVar("T")


class Word(StrEnum):
    """The explorer's word on whether a transaction exists."""

    KNOWN = "known"
    UNKNOWN = "unknown"  # neither its status nor its bytes
    SILENT = "silent"  # no answer, or one that contradicts itself


@dataclass(frozen=True, slots=True)
class Finding:
    """One transaction: its bytes checked against its id, and where it stands."""

    txid: str
    raw: bytes | None = None
    transaction: Transaction | None = None  # None with raw: bytes that are no strict transaction
    word: Word = Word.SILENT
    status: Status | None = None


def of_raw(txid: str, raw: bytes) -> Finding:
    """A finding of bytes that hash to `txid`, not asked about yet."""
    try:
        return Finding(txid, raw, parse(raw))
    except MalformedTransaction as error:
        log.warning("transaction %s is refused: %s", txid, error)
        return Finding(txid, raw)


def fetch(explorer: WhatsOnChain, txids: Iterable[str]) -> dict[str, Finding]:
    """The bytes of these transactions, as far as the explorer gave them; unknown ones say so."""
    found = {}
    for txid, raw in _in_bulk(explorer.raw, txids).items():
        found[txid] = Finding(txid, word=Word.UNKNOWN) if raw is None else of_raw(txid, raw)
    return found


def locate(
    explorer: WhatsOnChain,
    findings: Mapping[str, Finding],
    times: Mapping[str, datetime],
    *,
    urgent: bool = False,
) -> dict[str, Finding]:
    """The same findings with where each stands; `times` are those of blocks already known."""
    statuses = _in_bulk(lambda some: explorer.statuses(some, urgent=urgent), findings)
    denied = [txid for txid, status in statuses.items() if status is None]
    bytes_of_denied = _in_bulk(lambda some: explorer.raw(some, urgent=urgent), denied)
    located = {}
    for txid, finding in findings.items():
        status = statuses.get(txid)
        if status is not None:
            status = _with_time(explorer, status, times, urgent=urgent)
            located[txid] = replace(finding, word=Word.KNOWN, status=status)
        elif bytes_of_denied.get(txid, b"") is None:
            located[txid] = replace(finding, word=Word.UNKNOWN)
        else:
            located[txid] = replace(finding, word=Word.SILENT)
    return located


def _with_time(
    explorer: WhatsOnChain, status: Status, times: Mapping[str, datetime], *, urgent: bool
) -> Status:
    """The status with its block's time, asked for by itself where the bulk answer left it out."""
    if status.block_hash is None or status.block_time is not None:
        return status
    if status.block_hash in times:
        return replace(status, block_time=times[status.block_hash])
    if urgent:  # a person waits; the worker will look again
        return status
    try:
        alone = explorer.transaction(status.txid)
    except Unavailable:
        return status
    if alone is None or alone.block_hash != status.block_hash:
        return status
    return replace(status, block_time=alone.block_time)


def _in_bulk(ask: Callable[[Sequence[str]], dict[str, T]], keys: Iterable[str]) -> dict[str, T]:
    found: dict[str, T] = {}
    for some in batched(keys, BULK):
        try:
            found |= ask(some)
        except Unavailable as error:
            log.warning("explorer: %s", error)
    return found


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of up to `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
