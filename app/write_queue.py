"""A queue for SQLite's one write lock, first come, first served.

SQLite lets whoever happens to ask at the right moment write next, so under load some wait for
seconds and in the end are told that the database is locked. Here the threads of a process stand in
line for a lock of their own, and the first of each process in the kernel's line for a file lock,
which a killed process gives back by dying.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path


class WaitedTooLong(Exception):
    """The line in front did not move in time."""


class WriteQueue:
    """The line in front of one database file."""

    def __init__(self, database: Path, *, patience: float) -> None:
        self._path = database.with_name(f"{database.name}-queue")
        self._patience = patience  # seconds
        self._turn = threading.Lock()
        self._file = -1

    def enter(self) -> None:
        """Wait for the turn to write; WaitedTooLong."""
        if not self._turn.acquire(timeout=self._patience):
            raise WaitedTooLong
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Let the next one write."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._turn.release()
