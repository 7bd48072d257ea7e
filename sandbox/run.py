"""`make run`: a whole store with its simulated world, started together and ended together."""

import fcntl
import os
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

from honcho.manager import Manager
from honcho.process import Process

from sandbox import settings
from sandbox.settings import HOST, ROOT, Ports

DIRECTORY = ROOT / "instance" / "sandbox"
FIRST_PORTS = (5000, *range(8000, 8100, 10))  # on a Mac, 5000 is taken by AirPlay
PATIENCE_SECONDS = 60
TETHER_SECONDS = 0.5
ENDING_SECONDS = 5


class CannotRun(Exception):
    """Why the store does not start, for the person at the terminal."""


class Tethered(Process):
    """A process that ends when the one that started it is gone, however it went."""

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        Thread(target=self._hold_on, args=(os.getppid(),), daemon=True).start()
        super().run(events, ignore_signals)

    def _hold_on(self, starter: int) -> None:
        while os.getppid() == starter:
            time.sleep(TETHER_SECONDS)
        if self._child is not None:
            os.killpg(self._child.pid, signal.SIGTERM)


class Together(Manager):
    """Honcho's manager, which also says when all is up, and ends what has only just begun."""

    def __init__(self, ports: Ports, passwords: dict[str, str], began_at: float) -> None:
        super().__init__()
        self._ports, self._passwords, self._began_at = ports, passwords, began_at
        self._is_ending = False
        self._process_ctor = Tethered

    def _start(self) -> None:
        super()._start()
        Thread(target=self._announce, daemon=True).start()  # only now: processes are forked above

    def _announce(self) -> None:
        if wait_until_up(self._ports):
            took = time.monotonic() - self._began_at
            print(notice(self._ports, self._passwords, took), flush=True)

    def terminate(self) -> None:
        """Honcho cannot end a process that has not told its id yet; the loop tries again."""
        self._is_ending = True
        if self._all_started():
            super().terminate()

    def _any_stopped(self) -> bool:
        return self._is_ending or bool(super()._any_stopped())


def main() -> None:
    began_at = time.monotonic()
    directory = Path(os.environ.get("SATCHEL_SANDBOX_DIR") or DIRECTORY).resolve()
    try:
        sys.exit(run(directory, began_at))
    except CannotRun as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def run(directory: Path, began_at: float) -> int:
    """Make the store ready and keep it running until told to stop; the exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _hang_up)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = hold(directory)
    ports = choose_ports(os.environ.get("PORT", ""))
    store = settings.settle(directory, ports)
    environment = settings.environment(store)
    if not is_filled(directory):
        fill(directory, environment)
    passwords = settings.passwords(directory)
    manager = Together(ports, passwords, began_at)
    for name, command in commands(directory, ports).items():
        manager.add_process(name, command, env=environment, cwd=str(ROOT))
    try:
        manager.loop()
    except OSError:  # nobody reads what is printed
        os._exit(1)  # at once: the others see that this one is gone
    lock.close()
    was_asked = manager.returncode in {128 + signal.SIGINT, 128 + signal.SIGTERM}
    return 0 if was_asked else manager.returncode or 1


def commands(directory: Path, ports: Ports) -> dict[str, str]:
    """The processes of the store and its world, as the shell starts them."""
    python, kept_in = shlex.quote(sys.executable), shlex.quote(str(directory))
    return {
        "web": f"exec {python} -m gunicorn wsgi:app --bind {HOST}:{ports.store} --no-control-socket"
        " --worker-class gthread --threads 16 --graceful-timeout 3 --log-level warning",
        "worker": f"exec {python} -m flask worker",
        "sandbox": f"exec {python} -m sandbox --dir {kept_in}"
        f" --port {ports.sandbox} --smtp-port {ports.smtp}",
    }


def hold(directory: Path) -> TextIO:
    """A lock on the directory while the returned file, or a process begun with it, is there."""
    lock = (directory / "lock").open("w")
    deadline = time.monotonic() + ENDING_SECONDS  # one that was killed may still be ending
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() > deadline:
                lock.close()
                raise CannotRun("This store is running already, in another terminal.") from error
            time.sleep(0.1)
        else:
            return lock


def choose_ports(wish: str) -> Ports:
    """The ports asked for, or the first that are free; CannotRun says which one is taken."""
    if not wish:
        for port in FIRST_PORTS:
            if not taken(Ports(port)):
                return Ports(port)
        raise CannotRun("No free port found; choose one: make run PORT=9000")
    if not wish.isascii() or not wish.isdigit() or not 1024 <= int(wish) <= 65_533:
        raise CannotRun(f"PORT is a number from 1024 to 65533, not {wish!r}.")
    ports = Ports(int(wish))
    for port in taken(ports):
        raise CannotRun(
            f"Port {port} is in use. The store needs PORT and the next two; try another: "
            f"make run PORT={ports.store + 10 if ports.store < 65_000 else 8000}"
        )
    return ports


def taken(ports: Ports) -> list[int]:
    """Those of the ports that another program has."""
    return [port for port in (ports.store, ports.sandbox, ports.smtp) if not _is_free(port)]


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    with socket.socket() as caller:  # where the bind succeeds beside a listener on all addresses
        return caller.connect_ex((HOST, port)) != 0


def is_filled(directory: Path) -> bool:
    """Whether goods are on sale and the tables are the newest, found out without the store."""
    if not (directory / "filled").exists():
        return False
    url = f"{(directory / 'store.db').as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(url, uri=True)) as database:
            rows = database.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error:
        return False
    return {name for (name,) in rows} == newest_migrations(ROOT / "migrations" / "versions")


def newest_migrations(folder: Path) -> set[str]:
    """The migrations that no other follows."""
    names, followed = set(), set()
    for path in folder.glob("*.py"):
        text = path.read_text("utf-8")
        names.update(re.findall(r"""^revision\b.*?=\s*["'](\w+)["']""", text, re.MULTILINE))
        followed.update(re.findall(r"""^down_revision\b.*?=\s*["'](\w+)["']""", text, re.MULTILINE))
    return names - followed


def fill(directory: Path, environment: dict[str, str]) -> None:
    """Tables, goods and accounts, in a process group of its own that ends with this one."""
    command = [sys.executable, "-m", "sandbox.fill", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as filling:
        try:
            status = filling.wait()
        except KeyboardInterrupt:
            os.killpg(filling.pid, signal.SIGKILL)
            raise
    if status:
        raise CannotRun("The store could not be made ready; see above.")


def wait_until_up(ports: Ports) -> bool:
    """Whether store and sandbox answer, within the time anybody would wait."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if _answers(ports.store, "/healthz") and _answers(ports.sandbox, "/ready"):
            return True
        time.sleep(0.05)
    return False


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def notice(ports: Ports, passwords: dict[str, str], took: float) -> str:
    """What a newcomer needs to know."""
    accounts = "\n".join(
        f"    {name.capitalize():<8} {settings.ACCOUNTS[name]:<20} {password}"
        for name, password in passwords.items()
    )
    return f"""
  Satchel is up, after {took:.1f} s.

    Store    {ports.store_url}
    Wallet   {ports.sandbox_url}/wallet   (play money to pay with)
    Mailbox  {ports.sandbox_url}/mailbox  (letters of the store)

{accounts}

  Ctrl-C ends it; everything is kept in instance/sandbox.
"""


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _hang_up(_signal: int, _frame: object) -> None:
    """The terminal was closed: end as if told to, without a word to what is no longer there."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
