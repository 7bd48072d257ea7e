"""The whole store, as `make run` starts it, on ports and in a folder of its own."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from sandbox import run, samples, settings
from sandbox.settings import ROOT, Ports

PATIENCE_SECONDS = 120
TIMES_OF_A_PAYMENT = ("created_at", "expires_at", "watch_until", "rate_at")


class Store:
    """A running store, and what the world around it may do to it."""

    def __init__(self, directory: Path, ports: Ports, log: Path) -> None:
        self.directory, self.ports, self._log = directory, ports, log
        self.url, self.sandbox_url = ports.store_url, ports.sandbox_url
        self._outside = requests.Session()
        self._outside.trust_env = False
        self._outside.headers["Accept"] = "application/json"

    @property
    def printed(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def password(self, name: str) -> str:
        return settings.passwords(self.directory)[name]

    # ── the chain ────────────────────────────────────────────────────────────────────────────

    def mine(self, blocks: int = 1) -> None:
        """Put what waits into a block, and more blocks on top."""
        self._act("chain/mine", blocks=blocks)

    def pause_mining(self) -> None:
        self._act("chain/auto", on=0)

    def pay(self, uri: str, how: str = "full", amount: str = "") -> list[str]:
        """Pay as the wallet's page would; the transaction ids."""
        return self._act("wallet/pay", uri=uri, how=how, amount=amount)["txids"]

    def take_back(self, txid: str) -> None:
        """Double spend a payment that is in no block yet."""
        self._act("wallet/take-back", txid=txid)

    def _act(self, path: str, **fields: object) -> dict[str, Any]:
        answer = self._outside.post(f"{self.sandbox_url}/{path}", data=fields, timeout=20)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    # ── what it remembers ────────────────────────────────────────────────────────────────────

    def row(self, query: str, *values: object) -> dict[str, Any]:
        """The one row of the store's database that the query finds."""
        with self._database() as database:
            (row,) = database.execute(query, values).fetchall()
        return dict(row)

    def payment(self, number: str) -> dict[str, Any]:
        """The newest payment of an order."""
        return self.row(
            "SELECT payments.* FROM payments JOIN orders ON orders.id = order_id"
            " WHERE number = ? ORDER BY payments.id DESC LIMIT 1",
            number,
        )

    def change(self, query: str, *values: object) -> None:
        """Change rows as only a person at the database could."""
        with self._database() as database:
            assert database.execute(query, values).rowcount, "nothing was changed"

    def let_time_pass(self, number: str, **time_passed: float) -> None:
        """Make an order's payments and letters as old as if so much time had gone by."""
        seconds = timedelta(**time_passed).total_seconds()
        earlier = {
            name: f"{name} = strftime('%Y-%m-%d %H:%M:%f000', {name}, '-{seconds} seconds')"
            for name in (*TIMES_OF_A_PAYMENT, "due_at")
        }
        payment = ", ".join(earlier[name] for name in TIMES_OF_A_PAYMENT)
        of_order = "WHERE order_id = (SELECT id FROM orders WHERE number = ?)"
        self.change(f"UPDATE payments SET {payment}, next_check_at = created_at {of_order}", number)
        with self._database() as database:
            database.execute(f"UPDATE outgoing_emails SET {earlier['due_at']} {of_order}", [number])

    def look_now(self, number: str) -> None:
        """Make the worker look at all payments of an order; at late ones it looks hourly."""
        self.change(
            "UPDATE payments SET next_check_at = created_at WHERE next_check_at IS NOT NULL"
            " AND order_id = (SELECT id FROM orders WHERE number = ?)",
            number,
        )

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.directory / "store.db", timeout=20)) as database:
            database.row_factory = sqlite3.Row
            with database:
                yield database


@contextmanager
def running(folder: Path, *, scale: float = 0.04, stickers: int = 8) -> Iterator[Store]:
    """A store on free ports with the sample goods drawn small; it ends with the block."""
    directory, log = folder / "store", folder / "terminal.txt"
    goods = directory / "goods"
    samples.write(goods, scale=scale)
    for number in range(1, stickers + 1):  # so many that the catalogue has a second page
        _sticker(goods, number)
    ports = Ports(_free_port())
    with log.open("w") as terminal:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.run"],
            cwd=ROOT,
            env=os.environ
            | {
                "PORT": str(ports.store),
                "SATCHEL_SANDBOX_DIR": str(directory),
                "TRUSTED_PROXIES": "1",  # each visitor says where they come from
            },
            stdout=terminal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        store = Store(directory, ports, log)
        _wait_until_up(process, store)
        store.pause_mining()  # blocks come when a journey needs one
        yield store
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)


def _sticker(goods: Path, number: int) -> None:
    Image.new("RGB", (64, 64), (20 * number, 80, 120)).save(goods / f"sticker-{number}.png")
    sheet = f'name = "Sticker {number}"\nprice = "{number}.00"\nposition = {900 + number}\n'
    (goods / f"sticker-{number}.toml").write_text(sheet, "utf-8")


def _free_port() -> int:
    """A port that is free, as are the two after it."""
    for port in range(21_000 + os.getpid() % 20_000, 65_000, 7):
        if not run.taken(Ports(port)):
            return port
    raise AssertionError("no free ports")


def _wait_until_up(process: subprocess.Popen[bytes], store: Store) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "Satchel is up" not in store.printed:
        assert process.poll() is None, store.printed
        assert time.monotonic() < deadline, store.printed
        time.sleep(0.1)
