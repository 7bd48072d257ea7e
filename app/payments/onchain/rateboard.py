"""The rate as the whole store remembers it: asked of all sources at once, at most once a minute."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from app.http import Budget, HttpClient, Unavailable
from app.payments.base import Memory, RateUnavailable
from app.payments.onchain import rates
from app.payments.onchain.rates import Rate, RateJumped, Reading, ReadingRefused

log = logging.getLogger(__name__)

ASKED = "onchain:rates:asked"
GOOD = "onchain:rates:good"
HELD = "onchain:rates:held"
CACHED = timedelta(seconds=60)
CACHED_AFTER_FAILURE = timedelta(seconds=10)
AHEAD = timedelta(seconds=15)  # the worker renews before a buyer has to wait
ALL_WITHIN = 4.5  # seconds for all sources together
BODY_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """One place to ask; `budget` when it shares the explorer's."""

    name: str
    url: str
    client: HttpClient
    budget: Budget | None = None

    def read(self, now: datetime) -> Reading:
        """What it says now; Unavailable or ReadingRefused."""
        if self.budget is not None and not self.budget.take(urgent=True, wait=0.7):
            raise Unavailable("no request left in the budget")
        reply = self.client.get(self.url)
        if reply.status != 200:
            raise Unavailable(f"server answered {reply.status}")
        return rates.parse(self.name, reply.json(), now)


def source(
    name: str, url: str, *, budget: Budget | None = None, headers: Mapping[str, str] | None = None
) -> Source:
    """A source with short time-outs; ValueError for a name nobody can read."""
    if name not in rates.PARSERS:
        raise ValueError(f"RATE_SOURCES: {name} is none of {', '.join(rates.PARSERS)}")
    client = HttpClient(headers=headers, connect=1.5, read=2.5, retries=0, body_limit=BODY_LIMIT)
    return Source(name, url, client, budget)


class RateBoard:
    """Asks the sources, keeps the last good rate in the store's memory, holds back a jump."""

    def __init__(self, sources: list[Source], memory: Memory) -> None:
        self._sources = sources
        self._memory = memory
        self._asking = threading.Lock()
        self._needed = min(2, len(sources))
        if self._needed == 1:
            log.warning("one rate source only: nobody can contradict it")

    def current(self, now: datetime) -> Rate:
        """The rate to quote with, asked for when what is remembered is old; RateUnavailable."""
        if not self._is_cached(now, CACHED):
            with self._asking:
                if not self._is_cached(now, CACHED):  # another thread may have asked meanwhile
                    self.refresh(now)
        rate = self.peek(now)
        if rate is None:
            raise RateUnavailable("no rate that can be trusted")
        return rate

    def peek(self, now: datetime) -> Rate | None:
        """The rate as remembered, if it may still be used; asks nobody."""
        rate = self._recalled(GOOD)
        return rate if rate is not None and rates.is_young(rate, now) else None

    def renew(self, now: datetime) -> None:
        """Ask again a little before what is remembered gets old."""
        if not self._is_cached(now, CACHED - AHEAD):
            self.refresh(now)

    def refresh(self, now: datetime) -> None:
        """Ask every source now and remember what they agree on."""
        readings = self._ask(now)
        last_good = self._recalled(GOOD)
        agreed = False
        try:
            rate = rates.consensus(readings, last_good, now, needed=max(self._needed, 1))
        except RateJumped as jump:
            if self.held() is None:
                log.error("%s; held back, the last good one was %s", jump, last_good)
            self._memory.put(HELD, _to_json(jump.rate))
        except RateUnavailable:
            log.warning("no rate from %d readings", len(readings))
        else:
            agreed = rate is not last_good
            if agreed:
                self._take(rate)
        self._memory.put(ASKED, {"at": now.isoformat(), "agreed": agreed})

    def held(self) -> Rate | None:
        """The rate that jumped and waits for a person, if one does."""
        return self._recalled(HELD)

    def accept_held(self) -> Rate | None:
        """Take the held rate for good, a person having looked at it."""
        rate = self.held()
        if rate is not None:
            self._take(rate)
        return rate

    def _take(self, rate: Rate) -> None:
        self._memory.put(GOOD, _to_json(rate))
        if self.held() is not None:
            self._memory.put(HELD, None)

    def _ask(self, now: datetime) -> list[Reading]:
        if not self._sources:
            return []
        pool = ThreadPoolExecutor(len(self._sources), thread_name_prefix="rates")
        asked = {pool.submit(one.read, now): one.name for one in self._sources}
        answered, _ = wait(asked, timeout=ALL_WITHIN)
        pool.shutdown(wait=False, cancel_futures=True)
        found = [_reading(future, asked[future]) for future in asked if future in answered]
        return [reading for reading in found if reading is not None]

    def _is_cached(self, now: datetime, lasts: timedelta) -> bool:
        found = self._memory.get(ASKED)
        if found is None:
            return False
        age = now - datetime.fromisoformat(found[0]["at"])
        return abs(age) < (lasts if found[0]["agreed"] else CACHED_AFTER_FAILURE)

    def _recalled(self, key: str) -> Rate | None:
        found = self._memory.get(key)
        return _from_json(found[0]) if found and found[0] is not None else None


def _reading(future: Future[Reading], name: str) -> Reading | None:
    try:
        return future.result()
    except (Unavailable, ReadingRefused) as error:
        log.warning("rate source %s: %s", name, error)
        return None


def _to_json(rate: Rate) -> dict[str, Any]:
    return {"value": str(rate.value), "at": rate.at.isoformat(), "sources": dict(rate.sources)}


def _from_json(value: Any) -> Rate:
    return Rate(
        Decimal(value["value"]), datetime.fromisoformat(value["at"]), dict(value["sources"])
    )
