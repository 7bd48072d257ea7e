"""A fresh store for one measurement: its folder, its database, its settings, its processes."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from bench.world import EXPLORER, world

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
SHOP = "shop.example"  # what visitors would call it
WORKERS, THREADS = 2, 4
START_SECONDS = 30
STOP_SECONDS = 15
POSTGRES = os.environ.get("TEST_DATABASE_URL", "")


@dataclass(frozen=True, slots=True)
class Place:
    folder: Path
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int
    log: Path
    start_seconds: float  # from the command to the first answer

    def memory(self) -> list[float]:
        """Megabytes resident in each worker process."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [_resident(int(pid)) for pid in children.read_text().split()]


def databases() -> Sequence[str]:
    """What to measure on: SQLite, and PostgreSQL where TEST_DATABASE_URL leads to one."""
    return ("SQLite", "PostgreSQL") if POSTGRES else ("SQLite",)


@contextmanager
def place(database: str) -> Iterator[Place]:
    """An empty store with all its tables, settings as in production, and nothing left behind."""
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name, world() as outside:
        folder = Path(name)
        (folder / "storage").mkdir()
        url = f"sqlite:///{folder}/store.db" if database == "SQLite" else _fresh_postgres()
        environment = os.environ | {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "SECRET_KEY_FALLBACKS": "",
            "DATABASE_URL": url,
            "PUBLIC_URL": f"https://{SHOP}",
            "STORAGE_DIR": str(folder / "storage"),
            "BSV_NETWORK": "test",
            "BSV_XPUB": _account_key(),
            "BSV_ADDRESS": "",
            "WHATSONCHAIN_URL": f"{outside}{EXPLORER}",
            "WHATSONCHAIN_API_KEY": "",
            "WHATSONCHAIN_RATE_PER_SECOND": "1000",  # else its own limit is what is measured
            "RATE_SOURCES": f"whatsonchain={outside}{EXPLORER}/exchangerate,gate={outside}/gate",
            "DOWNLOAD_ACCEL_PREFIX": "",
            "MAIL_FROM": f"store@{SHOP}",
            "TRUSTED_PROXIES": "1",
            "RATELIMIT_STORAGE_URL": "memory://",
            "LOG_LEVEL": "INFO",
            "FLASK_APP": "wsgi",
            "FLASK_DEBUG": "0",
        }
        _run([sys.executable, "-m", "flask", "db", "upgrade"], environment)
        yield Place(folder, environment)


@contextmanager
def served(at: Place, app: str = "wsgi:app") -> Iterator[Server]:
    """The store, or another app, under gunicorn as the documentation starts it."""
    port, log = _free_port(), at.folder / f"{app.replace(':', '-')}.log"
    command = [sys.executable, "-m", "gunicorn", app, "--bind", f"{HOST}:{port}"]
    command += ["--worker-class", "gthread", "--no-control-socket"]
    command += ["--workers", str(WORKERS), "--threads", str(THREADS), "--log-level", "warning"]
    began = time.monotonic()
    with _running(command, at.environment, log) as process:
        _wait_for(port, process, log)
        yield Server(port, process.pid, log, time.monotonic() - began)


@contextmanager
def watched(at: Place) -> Iterator[None]:
    """The worker beside it."""
    log = at.folder / "worker.log"
    with _running([sys.executable, "-m", "flask", "worker"], at.environment, log):
        yield


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as lines:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=lines, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": SHOP})
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.02)
        finally:
            connection.close()
    raise SystemExit(f"The server does not start:\n{log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def _fresh_postgres() -> str:
    """An empty database beside the one TEST_DATABASE_URL names."""
    engine = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS satchel_bench WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE satchel_bench"))
    engine.dispose()
    return make_url(POSTGRES).set(database="satchel_bench").render_as_string(hide_password=False)


def _account_key() -> str:
    """The public key of a new account on the test network."""
    from bsv.constants import Network
    from bsv.hd.bip32 import Xprv

    return str(Xprv.from_seed(secrets.token_hex(64), Network.TESTNET).xpub())


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
