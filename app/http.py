"""The outgoing HTTP client: time-outs on every call, a cap on every body, no redirects.

Every failure to get a whole answer is `Unavailable` ("try later"); an answer, whatever its status,
is a `Reply` for the caller to judge.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

import requests
import urllib3

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
BODY_LIMIT = 2 * 1024 * 1024
CHUNK = 16 * 1024


class Unavailable(Exception):
    """No usable answer: time-out, broken connection, server trouble, too many requests."""

    def __init__(self, why: str, *, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class TooLong(Unavailable):
    """The answer is longer than we read; asking again will not shorten it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace").strip()

    def json(self) -> Any:
        """The body parsed with exact decimals; Unavailable when it is HTML, or half of it."""
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, InvalidOperation, RecursionError) as error:
            raise Unavailable("answer is not JSON") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


class HttpClient:
    """A small client for one service.

    `headers` go with every request. After `FAILURES_TO_OPEN` failures in a row the breaker opens:
    for `REST_SECONDS` every call fails at once instead of making a caller wait for a dead service.
    """

    FAILURES_TO_OPEN = 5
    REST_SECONDS = 15.0

    def __init__(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        connect: float = CONNECT_SECONDS,
        read: float = READ_SECONDS,
        body_limit: int = BODY_LIMIT,
        retries: int = 1,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._local = threading.local()
        self._headers = {
            "User-Agent": "Satchel",
            "Accept": "application/json, text/plain",
            **(headers or {}),
        }
        self._timeout = (connect, read)
        self._body_limit = body_limit
        self._retries = retries
        self._monotonic = monotonic
        self._sleep = sleep
        self._failures = 0
        self._closed_until = 0.0

    def get(self, url: str, *, params: Mapping[str, str] | None = None) -> Reply:
        """GET, tried again once with jitter when no whole answer came."""
        return self._send("GET", url, params=params)

    def post(self, url: str, body: Mapping[str, Any]) -> Reply:
        """POST a JSON body; tried again like `get`, so only for calls that may be repeated."""
        return self._send("POST", url, json=body)

    def _send(self, method: str, url: str, **kwargs: Any) -> Reply:
        if self._monotonic() < self._closed_until:
            raise Unavailable("resting after repeated failures")
        for attempt in range(self._retries + 1):
            try:
                reply = self._once(method, url, **kwargs)
            except TooLong:
                raise
            except Unavailable as error:
                self._failures += 1
                if self._failures >= self.FAILURES_TO_OPEN:
                    self._closed_until = self._monotonic() + self.REST_SECONDS
                    self._failures = 0
                    raise
                if attempt == self._retries or error.retry_after is not None:
                    raise
                self._sleep(random.uniform(0.1, 0.4))  # noqa: S311 - jitter, not a secret
            else:
                self._failures = 0
                return reply
        raise AssertionError("unreachable")

    def _once(self, method: str, url: str, **kwargs: Any) -> Reply:
        deadline = self._monotonic() + sum(self._timeout)
        try:
            with self._session().request(
                method,
                url,
                timeout=self._timeout,
                headers=self._headers,
                allow_redirects=False,
                stream=True,
                **kwargs,
            ) as response:
                body = bytearray()
                # read1 hands over what has come, so that a body that drips meets the deadline
                while chunk := response.raw.read1(CHUNK, decode_content=True):
                    body += chunk
                    if len(body) > self._body_limit:
                        raise TooLong("answer is too long")
                    if self._monotonic() > deadline:
                        raise Unavailable("answer comes too slowly")
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise Unavailable(type(error).__name__) from error
        if response.status_code == 429:
            raise Unavailable(
                "too many requests", retry_after=_seconds(response.headers.get("Retry-After"))
            )
        if response.status_code >= 500:
            raise Unavailable(f"server answered {response.status_code}")
        if 300 <= response.status_code < 400:
            raise Unavailable("server answered with a redirect")
        return Reply(response.status_code, bytes(body))

    def _session(self) -> requests.Session:
        if not hasattr(
            self._local, "session"
        ):  # requests does not promise that a session is thread-safe
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session


def _seconds(value: str | None) -> float:
    """What Retry-After asks for, within reason; 5 s when it says nothing we read."""
    try:
        return min(max(float(value or ""), 1.0), 60.0)
    except ValueError:
        return 5.0


class Budget(Protocol):
    """Who may spend a request now."""

    def take(self, *, urgent: bool = False, wait: float = 0.0) -> bool: ...


class TokenBucket:
    """So many requests a second, a fifth kept for what a person waits for (`urgent`)."""

    RESERVE = 0.2

    def __init__(
        self,
        per_second: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = per_second
        self._size = max(per_second, 1.0)
        self._tokens = self._size
        self._at = monotonic()
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._sleep = sleep

    def take(self, *, urgent: bool = False, wait: float = 0.0) -> bool:
        """Spend one request, waiting up to `wait` seconds for it; False when there is none."""
        deadline = self._monotonic() + wait
        floor = 0.0 if urgent else min(self._size * self.RESERVE, self._size - 1.0)
        while True:
            with self._lock:
                now = self._monotonic()
                self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
                self._at = now
                if self._tokens - 1.0 >= floor:
                    self._tokens -= 1.0
                    return True
                missing = (1.0 + floor - self._tokens) / self._rate
            if self._monotonic() + missing > deadline:
                return False
            self._sleep(missing)
