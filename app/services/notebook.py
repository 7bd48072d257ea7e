"""The providers' notebook, kept in the database so that every process reads the same page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from app import clock
from app.extensions import db, reading
from app.models import ProviderNote
from app.services.database import upsert


class Notebook:
    """Reads and writes in transactions of its own, so that a provider never holds the store's."""

    def get(self, key: str) -> tuple[Any, datetime] | None:
        """What was last put under `key`, and when."""
        statement = select(ProviderNote.value, ProviderNote.written_at).where(
            ProviderNote.key == key
        )
        with reading(), db.engine.begin() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else (row.value, row.written_at)

    def put(self, key: str, value: Any) -> None:
        """Keep a value; RuntimeError inside a transaction of the store, which it would wait for."""
        if db.session().in_transaction():
            raise RuntimeError("a provider wrote to its notebook inside a transaction of the store")
        row = {"key": key, "value": value, "written_at": clock.now()}
        with db.engine.begin() as connection:
            connection.execute(upsert(ProviderNote, row, on="key"))
