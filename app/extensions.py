"""The extensions, unbound; `create_app` ties them to an app.

SQLite, as the store needs it: write-ahead log, foreign keys, full sync (a power cut loses no
commit), and `BEGIN IMMEDIATE` for whatever may write. The deferred BEGIN that drivers send takes
the write lock in the middle of a transaction, where waiting for it is not allowed, and fails with
"database is locked" instead. Who may write next is decided by a queue of our own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from flask import has_request_context, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_mail import Mail
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from app.models.base import Base
from app.write_queue import WaitedTooLong, WriteQueue

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BUSY_SECONDS = 5
_QUEUED = "stands in the write queue"

db = SQLAlchemy(model_class=Base)
migrate = Migrate(db=db, render_as_batch=True)
login_manager = LoginManager()
mail = Mail()
limiter = Limiter(get_remote_address, headers_enabled=True, swallow_errors=True)

_only_reading: ContextVar[bool] = ContextVar("only_reading", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun inside will not write, so they need not wait for those that do."""
    token = _only_reading.set(True)
    try:
        yield
    finally:
        _only_reading.reset(token)


def engine_options(url: str) -> dict[str, Any]:
    """How connections to the database at `url` are made."""
    options: dict[str, Any] = {"hide_parameters": True}  # errors are logged, and hold values
    if url.startswith("sqlite"):
        return options | {"connect_args": {"timeout": BUSY_SECONDS}}
    waiting = {"options": f"-c lock_timeout={BUSY_SECONDS}s"}
    pool = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20}
    return options | pool | {"connect_args": waiting}


def prepare_engine(engine: Engine) -> None:
    """Give a SQLite engine the store's pragmas and its way of beginning; others are left alone."""
    if engine.dialect.name != "sqlite" or event.contains(engine, "connect", _on_connect):
        return
    queue = WriteQueue(Path(engine.url.database or ""), patience=BUSY_SECONDS)

    def begin(connection: Connection) -> None:
        safe = _only_reading.get() or (has_request_context() and request.method in SAFE_METHODS)
        kept = connection.connection.record_info  # outlives an invalidated connection
        if not safe and kept is not None and _QUEUED not in kept:
            try:
                queue.enter()
            except WaitedTooLong as error:
                raise PoolTimeout("the database is busy") from error
            kept[_QUEUED] = True
        connection.exec_driver_sql("BEGIN" if safe else "BEGIN IMMEDIATE")

    def leave(_connection: object, record: ConnectionPoolEntry, _error: object = None) -> None:
        if record.record_info is not None and record.record_info.pop(_QUEUED, False):
            queue.leave()

    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", begin)
    event.listen(engine, "checkin", leave)
    event.listen(engine, "invalidate", leave)


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 then sends no BEGIN of its own
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "synchronous=FULL",
        f"busy_timeout={BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")
