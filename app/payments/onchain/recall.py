"""What one process remembers for a while: the latest few of something, by id."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recall(Generic[T]):
    """At most `size` entries; the oldest go first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> T | None:
        """What was put under `key`, if it is still here."""
        return self._entries.get(key)

    def put(self, key: str, value: T) -> None:
        """Remember it, forgetting the oldest when there is no room."""
        with self._lock:
            self._entries[key] = value
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
