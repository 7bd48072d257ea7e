"""Whether the process is up, and whether it can serve."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from functools import lru_cache

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db
from app.wiring import settings

bp = Blueprint("health", __name__)
log = logging.getLogger(__name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    return jsonify(status="up")


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    checks = {name: _holds(check) for name, check in CHECKS.items()}
    return jsonify(ready=all(checks.values()), **checks), 200 if all(checks.values()) else 503


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (OSError, SQLAlchemyError) as error:
        log.error("not ready: %s", error)
        return False


def _database_is_current() -> bool:
    """The database answers, and every migration has been applied to it."""
    revision = MigrationContext.configure(db.session.connection()).get_current_revision()
    return revision is not None and revision == _head(current_app.extensions["migrate"].directory)


def _storage_is_writable() -> bool:
    with tempfile.TemporaryFile(dir=settings().storage_dir):
        return True


@lru_cache(maxsize=1)
def _head(directory: str) -> str | None:
    """The newest migration this code knows."""
    return ScriptDirectory(directory).get_current_head()


CHECKS = {"database": _database_is_current, "storage": _storage_is_writable}
