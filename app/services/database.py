"""What SQLite and PostgreSQL spell alike but SQLAlchemy keeps apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.dml import Insert

from app.extensions import db


def _insert(model: type[DeclarativeBase]) -> Any:
    dialect = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    return dialect.insert(model)


def upsert(model: type[DeclarativeBase], row: Mapping[str, Any], *, on: str) -> Insert:
    """Insert a row, or overwrite the one that has the same value in column `on`."""
    statement: Insert = (
        _insert(model)
        .values(**row)
        .on_conflict_do_update(
            index_elements=[on], set_={name: value for name, value in row.items() if name != on}
        )
    )
    return statement


def insert_once(model: type[DeclarativeBase], row: Mapping[str, Any], *, on: str) -> Insert:
    """Insert a row unless one with the same value in column `on` is there."""
    statement: Insert = _insert(model).values(**row).on_conflict_do_nothing(index_elements=[on])
    return statement
