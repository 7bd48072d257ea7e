"""An explorer and two rate sources on loopback: every address is new, a coin costs 25 dollars."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

RATE = "25.00"
EXPLORER = "/v1/bsv/test"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        match self.path:
            case "/v1/bsv/test/chain/info":
                self._answer({"blocks": 100, "bestblockhash": "00" * 32})
            case "/v1/bsv/test/exchangerate":
                self._answer({"rate": float(RATE), "time": int(time.time()), "currency": "USD"})
            case "/gate":
                self._answer([{"last": RATE}])
            case _:
                self._answer({}, 404)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        nothing = {"result": None, "error": ""}
        if self.path == f"{EXPLORER}/addresses/history/all":
            self._answer(
                [
                    {"address": address, "script": "", "unconfirmed": nothing, "confirmed": nothing}
                    for address in asked["addresses"]
                ]
            )
        else:
            self._answer([{"txid": txid, "error": "unknown"} for txid in asked["txids"]])

    def _answer(self, body: Any, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing is written down."""


@contextmanager
def world() -> Iterator[str]:
    """The address of a simulated world, which ends with the context."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
