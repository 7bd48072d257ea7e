"""What watches the store may ask: is it up, and can it serve?"""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from app.blueprints import health
from app.extensions import db
from tests.pages import Client


@pytest.fixture
def migrated(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's database, stamped as every migration would have left it."""
    monkeypatch.setattr(health, "_head", lambda _directory: "newest")
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('newest')"))


@pytest.fixture(autouse=True)
def unstamped(app: Flask) -> object:
    yield
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


@pytest.fixture(autouse=True)
def storage(environment: dict[str, str], app: Flask) -> Path:
    folder = Path(environment["STORAGE_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_process_that_runs_is_up_whatever_else_is_down(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_database_is_current", lambda: 1 / 0)
    assert client.get("/healthz").get_json() == {"status": "up"}


def test_a_store_with_all_it_needs_is_ready(client: Client, migrated: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {"ready": True, "database": True, "storage": True}


def test_a_database_behind_the_code_is_not_ready(client: Client, migrated: None) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {"ready": False, "database": False, "storage": True}


def test_a_database_that_was_never_made_is_not_ready(client: Client) -> None:
    assert client.get("/readyz").status_code == 503


def test_a_storage_that_is_gone_is_not_ready(client: Client, migrated: None, storage: Path) -> None:
    storage.rmdir()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {"ready": False, "database": True, "storage": False}


def test_the_newest_migration_is_known() -> None:
    assert health._head(str(Path(__file__).parents[2] / "migrations"))
