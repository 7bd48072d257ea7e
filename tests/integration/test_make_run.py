"""`make run`, as a newcomer meets it: a full shop, quick to come back, gone on Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from sandbox import run, samples, settings
from sandbox.settings import ROOT, Ports

FIRST_START, LATER_START = 120, 30  # seconds a busy machine may take
NOTICE = re.compile(r"Satchel is up, after ([\d.]+) s\.")

opener = build_opener(ProxyHandler({}))

pytestmark = pytest.mark.sqlite  # what it starts brings its own database


class Running:
    """One `python -m sandbox.run`, with what it has printed so far."""

    def __init__(self, directory: Path, port: int) -> None:
        self.log = directory.parent / f"terminal-{time.monotonic_ns()}.txt"
        with self.log.open("w") as terminal:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.run"],
                cwd=ROOT,
                env=os.environ | {"PORT": str(port), "SATCHEL_SANDBOX_DIR": str(directory)},
                stdout=terminal,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        return self.log.read_text()

    def until_up(self, patience: float) -> float:
        """The seconds it says it took."""
        wait_for(lambda: NOTICE.search(self.printed) or self.process.poll() is not None, patience)
        notice = NOTICE.search(self.printed)
        assert notice, self.printed
        return float(notice[1])

    def end(self, how: signal.Signals) -> int:
        """Its exit status after the signal a terminal or a supervisor would send."""
        if how in {signal.SIGINT, signal.SIGHUP}:  # a terminal tells all that began in it
            os.killpg(self.process.pid, how)
        else:
            self.process.send_signal(how)
        return self.process.wait(timeout=20)


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def free_port() -> int:
    """A port that is free, as are the two after it."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000, 7):  # below those given to callers
        if not run.taken(Ports(port)):
            return port
    raise AssertionError("no free ports")


def page(url: str) -> str:
    with opener.open(url, timeout=10) as answer:
        return answer.read().decode()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox with its goods drawn small, in a folder with a space in its name."""
    made = tmp_path_factory.mktemp("a store") / "sandbox dir"
    samples.write(made / "goods", scale=0.04)
    return made


@pytest.fixture
def start(directory: Path) -> Iterator[Callable[[], tuple[Running, Ports]]]:
    begun: list[Running] = []

    def begin() -> tuple[Running, Ports]:
        ports = Ports(free_port())
        begun.append(Running(directory, ports.store))
        return begun[-1], ports

    yield begin
    for running in begun:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)


@pytest.mark.xdist_group("make run")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_store_runs_until_told_to_stop(
    start: Callable[[], tuple[Running, Ports]], directory: Path, how: signal.Signals
) -> None:
    is_first = not (directory / "filled").exists()
    running, ports = start()
    running.until_up(FIRST_START if is_first else LATER_START)

    home = page(ports.store_url)
    assert "Genesis Sunrise" in home
    assert page(f"{ports.sandbox_url}/wallet")
    for password in json.loads((directory / "passwords.json").read_text()).values():
        assert password in running.printed

    assert running.end(how) == 0
    assert "Traceback" not in running.printed
    assert not run.taken(ports), "something still listens"


@pytest.mark.xdist_group("make run")
def test_what_was_made_at_the_first_start_is_kept(
    start: Callable[[], tuple[Running, Ports]], directory: Path
) -> None:
    first, ports = start()
    first.until_up(FIRST_START)
    first.end(signal.SIGTERM)
    kept = {name: (directory / name).read_text() for name in ("passwords.json", "seed.hex")}
    secrets_ = settings._read(directory / "store.env")

    second, ports = start()
    second.until_up(LATER_START)

    assert "Drawing" not in second.printed
    assert "Putting them on sale" not in second.printed
    assert {name: (directory / name).read_text() for name in kept} == kept
    assert settings._read(directory / "store.env") == secrets_
    assert f"PUBLIC_URL='{ports.store_url}'" in (directory / "store.env").read_text()


@pytest.mark.xdist_group("make run")
def test_a_store_that_runs_already_is_not_started_twice(
    start: Callable[[], tuple[Running, Ports]], directory: Path
) -> None:
    running, _ = start()
    running.until_up(FIRST_START)

    second, _ = start()

    assert second.process.wait(timeout=20) == 1
    assert "This store is running already" in second.printed
    assert running.process.poll() is None


@pytest.mark.xdist_group("make run")
def test_nothing_outlives_a_store_that_was_killed(
    start: Callable[[], tuple[Running, Ports]],
) -> None:
    running, ports = start()
    running.until_up(FIRST_START)

    running.end(signal.SIGKILL)

    wait_for(lambda: not run.taken(ports), 10)
    assert not run.taken(ports)
    again, _ = start()
    again.until_up(LATER_START)


@pytest.mark.xdist_group("make run")
@pytest.mark.parametrize("after", [0.3, 0.8, 1.2, 2.0])
def test_ctrl_c_in_the_middle_of_the_start_leaves_nothing(
    start: Callable[[], tuple[Running, Ports]], after: float
) -> None:
    running, ports = start()
    time.sleep(after)

    status = running.end(signal.SIGINT)
    assert status in {0, 130, -signal.SIGINT}, running.printed

    assert "KeyError" not in running.printed
    wait_for(lambda: not run.taken(ports), 5)
    assert not run.taken(ports)


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    settings.settle(tmp_path, Ports(5000))
    settings.passwords(tmp_path)

    for name in ("store.env", "passwords.json", "seed.hex"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name


def test_a_taken_port_is_named() -> None:
    wish = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", wish + 1))
        other.listen()

        with pytest.raises(run.CannotRun, match=f"Port {wish + 1} is in use"):
            run.choose_ports(str(wish))


@pytest.mark.parametrize("wish", ["many", "0", "80", "-1", "65534", "99999", "５０００"])
def test_a_port_that_is_none_is_refused(wish: str) -> None:
    with pytest.raises(run.CannotRun, match="PORT is a number"):
        run.choose_ports(wish)


def test_only_the_newest_migration_counts(tmp_path: Path) -> None:
    (tmp_path / "1.py").write_text('revision = "0001"\ndown_revision = None\n')
    (tmp_path / "2.py").write_text('revision: str = "0002"\ndown_revision: str = "0001"\n')

    assert run.newest_migrations(tmp_path) == {"0002"}
    assert run.newest_migrations(ROOT / "migrations" / "versions")


def test_a_store_without_goods_or_tables_is_filled(tmp_path: Path) -> None:
    assert not run.is_filled(tmp_path)
    (tmp_path / "filled").touch()
    assert not run.is_filled(tmp_path)
