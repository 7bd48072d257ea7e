"""How migrations run: in one transaction, and on SQLite with foreign keys checked afterwards.

SQLite rebuilds a table to alter it, and dropping the old one would delete what refers to it; so
foreign keys are off meanwhile and every row is checked before the commit.
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from app.models import Base
from app.models.base import UtcDateTime


def render_item(kind: str, item: Any, _autogen: object) -> str | Literal[False]:
    """Spell our own types in SQLAlchemy's, so that a migration never imports the app."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def drop_empty(_context: object, _revision: object, directives: list[Any]) -> None:
    """Write no migration when nothing has changed."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def compare_type(*arguments: Any) -> bool | None:
    """Our UTC times are the database's times with a zone."""
    metadata_type = arguments[4]
    return False if isinstance(metadata_type, UtcDateTime) else None


def run(connection: Connection) -> None:
    """Bring the schema where it is asked to be, all of it or nothing."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        render_item=render_item,
        compare_type=compare_type,
        process_revision_directives=drop_empty,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
            if sqlite and (broken := connection.execute(text("PRAGMA foreign_key_check")).all()):
                raise RuntimeError(f"rows without what they refer to: {broken[:5]}")
    finally:
        if sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")


if context.is_offline_mode():
    raise SystemExit("migrations need the database: there is no offline mode")

with current_app.extensions["migrate"].db.engine.connect() as connection:
    run(connection)
