"""Many at once, set off together: each in a thread, a context and a session of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flask import Flask

from app.extensions import db

T = TypeVar("T")
PATIENCE = 30  # seconds until a race is called off


@dataclass
class Outcome(Generic[T]):
    results: list[T] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)


def together(app: Flask, count: int, act: Callable[[int], T]) -> Outcome[T]:
    """Let `count` threads do `act(number)` at the same moment; what came of it, errors included."""
    db.session.commit()
    start = threading.Barrier(count)
    outcome: Outcome[T] = Outcome()

    def run(number: int) -> None:
        with app.app_context():
            start.wait(PATIENCE)
            try:
                outcome.results.append(act(number))
            except Exception as error:
                outcome.errors.append(error)
            finally:
                db.session.rollback()
                db.session.remove()

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(run, number) for number in range(count)]:
            done.result(PATIENCE)
    return outcome


class Trigger:
    """Holds threads where they meet, so that a control loses its race every time."""

    def __init__(self, count: int) -> None:
        self._barrier = threading.Barrier(count)

    def pull(self) -> None:
        """Wait for the others; go on alone when they cannot come."""
        try:
            self._barrier.wait(2)
        except threading.BrokenBarrierError:
            return
