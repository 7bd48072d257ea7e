"""One request, again and again, over a few connections: as fast as the server answers."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection

from bench.crowd import alone
from bench.place import HOST

END = b"\r\n\r\n"
LENGTH = b"content-length:"
PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Request:
    port: int
    path: str
    headers: Mapping[str, str]
    status: int  # how it must be answered

    def __bytes__(self) -> bytes:
        lines = [f"GET {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in self.headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()


class WrongAnswer(Exception):
    """The server answered something else than what is measured."""


def barrage(request: Request, *, clients: int, seconds: float) -> float:
    """Answers a second, counted in a process of its own. WrongAnswer."""
    return alone(_run, request, clients, seconds)


def etag_of(request: Request) -> str:
    """The ETag the page has now."""
    connection = HTTPConnection(HOST, request.port, timeout=PATIENCE)
    connection.request("GET", request.path, headers=dict(request.headers))
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.headers["ETag"]


class _Line:
    """One connection, asking as soon as it was answered."""

    def __init__(self, request: Request) -> None:
        self._message, self._status = bytes(request), f" {request.status} ".encode()
        self._heard = bytearray()
        self.socket = socket.create_connection((HOST, request.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(self._message)

    def listen(self) -> bool:
        """Hear more; whether the answer is whole, and the next was asked for."""
        heard = self.socket.recv(256 * 1024)
        self._heard += heard
        end = self._heard.find(END)
        if end < 0 and heard:
            return False
        head = bytes(self._heard[:end]).lower()
        if not heard or self._status not in head[:16]:
            raise WrongAnswer(self._message[:60], head[:300])
        at = head.find(LENGTH)
        length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if self._status == b" 304 ":
            length = 0
        if len(self._heard) < end + len(END) + length:
            return False
        self._heard.clear()
        self.socket.sendall(self._message)
        return True


def _run(request: Request, clients: int, seconds: float) -> float:
    lines = [_Line(request) for _ in range(clients)]
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        answers, began = 0, time.perf_counter()
        while (now := time.perf_counter()) < began + seconds:
            for key, _ in selector.select(PATIENCE):
                answers += key.data.listen()
    for line in lines:
        line.socket.close()
    return answers / (now - began)
