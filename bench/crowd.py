"""Many at once, in a process of their own, so that they take no time from whoever watches them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
LONGEST_SECONDS = 300  # after which a measurement is called off


def crowd(act: Callable[[int], T], *, times: int, at_once: int) -> list[T]:
    """What `act(number)` gave for each number below `times`, so many of them running at once."""
    return alone(_together, act, times, at_once)


def alone(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `act` gives in a fresh process."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as process:
        return process.submit(act, *args, **kwargs).result(LONGEST_SECONDS)


def _together(act: Callable[[int], T], times: int, at_once: int) -> list[T]:
    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(act, range(times)))
