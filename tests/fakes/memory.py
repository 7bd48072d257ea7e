"""A provider's notebook that forgets with the test."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from app import clock


class FakeMemory:
    """Keeps values as JSON, as the real one does, so that nothing else can hide in it."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[str, datetime]] = {}

    def get(self, key: str) -> tuple[Any, datetime] | None:
        page = self._pages.get(key)
        return None if page is None else (json.loads(page[0]), page[1])

    def put(self, key: str, value: Any) -> None:
        self._pages[key] = (json.dumps(value), clock.now())
