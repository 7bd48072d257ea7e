"""A visitor of the store behind a proxy: pages, forms and cookies, with a watch in the hand."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from http.client import HTTPConnection, HTTPException
from typing import Self
from urllib.parse import urlencode, urlsplit

from bench.place import HOST, SHOP

TIMEOUT = 30
INPUT = re.compile(r"<input\b[^>]*>")
ATTRIBUTE = re.compile(r'\b(name|value)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Lap:
    """One request: which, how it was answered (0: not at all), and after how long."""

    name: str
    status: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str  # the path it leads to, if it leads elsewhere
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def fields(self) -> dict[str, str]:
        """What the inputs of the page's forms hold."""
        found = (dict(ATTRIBUTE.findall(tag)) for tag in INPUT.findall(self.text))
        return {one["name"]: unescape(one.get("value", "")) for one in found if one.get("name")}


class Visitor:
    """Somebody at an address of their own, as a trusted proxy tells it."""

    def __init__(self, port: int, address: str) -> None:
        self.laps: list[Lap] = []
        self._connection = HTTPConnection(HOST, port, timeout=TIMEOUT)
        self._cookies: dict[str, str] = {}
        self._headers = {"Host": SHOP, "X-Forwarded-For": address, "X-Forwarded-Proto": "https"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{key}={value}" for key, value in self._cookies.items())

    def get(self, path: str, *, name: str) -> Answer:
        return self._send("GET", path, name, {}, None)

    def post(self, path: str, fields: Mapping[str, str], *, name: str) -> Answer:
        form = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"https://{SHOP}",
        }
        return self._send("POST", path, name, form, urlencode(fields).encode())

    def _send(
        self, method: str, path: str, name: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        sent = {**self._headers, **headers, **({"Cookie": self.cookie} if self._cookies else {})}
        began = time.perf_counter()
        try:
            self._connection.request(method, path, body, sent)
            response = self._connection.getresponse()
            answer = Answer(
                response.status, _path(response.getheader("Location", "")), response.read()
            )
        except (OSError, HTTPException):
            self._connection.close()
            self.laps.append(Lap(name, 0, (time.perf_counter() - began) * 1000))
            return Answer(0, "", b"")
        self.laps.append(Lap(name, answer.status, (time.perf_counter() - began) * 1000))
        for cookie in response.headers.get_all("Set-Cookie", []):
            key, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[key] = value
        return answer


def _path(location: str) -> str:
    parts = urlsplit(location)
    return parts.path + (f"?{parts.query}" if parts.query else "")
