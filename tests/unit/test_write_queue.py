"""The line in front of SQLite's write lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.extensions import prepare_engine
from app.write_queue import WaitedTooLong, WriteQueue

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from app.write_queue import WriteQueue
WriteQueue(Path(sys.argv[1]), patience=5).enter()
print("in", flush=True)
time.sleep(60)
"""


def wait_in_line(queue: WriteQueue, number: int, served: list[int]) -> threading.Thread:
    def run() -> None:
        queue.enter()
        served.append(number)
        queue.leave()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_two_processes_take_turns(tmp_path: Path) -> None:
    database, served = tmp_path / "store.db", list[int]()
    here, there = (WriteQueue(database, patience=5) for _ in range(2))
    here.enter()
    waiting = []
    for number, queue in enumerate((there, here)):
        waiting.append(wait_in_line(queue, number, served))
        time.sleep(0.1)
    here.leave()
    for thread in waiting:
        thread.join(5)
    assert sorted(served) == [0, 1]


def test_whoever_waits_too_long_is_told(tmp_path: Path) -> None:
    queue = WriteQueue(tmp_path / "store.db", patience=0.05)
    queue.enter()
    with pytest.raises(WaitedTooLong):
        queue.enter()
    queue.leave()
    queue.enter()
    queue.leave()


def test_a_killed_process_gives_its_turn_back(tmp_path: Path) -> None:
    database = tmp_path / "store.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in\n"
        served: list[int] = []
        waiting = wait_in_line(WriteQueue(database, patience=5), 1, served)
        waiting.join(0.2)
        assert served == []
        os.kill(holder.pid, signal.SIGKILL)
        waiting.join(5)
    assert served == [1]


def test_a_broken_connection_does_not_keep_its_turn(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    prepare_engine(engine)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.invalidate()
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
