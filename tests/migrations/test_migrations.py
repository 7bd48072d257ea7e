"""Migrations: up, down, up again with rows in the tables, and never apart from the models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from app import create_app
from app.extensions import db
from app.models import Base, Product
from config import Config
from tests import factories
from tests.conftest import fresh_postgres
from tests.fakes.provider import FakeProvider

MIGRATIONS = Path(__file__).parents[2] / "migrations"
REVISIONS = [
    revision.revision
    for revision in reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))
]


@pytest.fixture
def bare(environment: dict[str, str], tmp_path: Path) -> Iterator[Flask]:
    """A store whose database has no table yet."""
    server = os.environ.get("TEST_DATABASE_URL")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    environment["DATABASE_URL"] = (
        fresh_postgres(server, f"satchel_migrations_{worker}")
        if server
        else f"sqlite:///{tmp_path}/migrations.db"
    )
    app = create_app(Config.from_env(environment), providers=[FakeProvider()])
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_the_models_and_the_migrations_agree(bare: Flask) -> None:
    upgrade(str(MIGRATIONS))
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": lambda *_: None, "target_metadata": Base.metadata},
        )
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_migration_goes_up_down_and_up_again(bare: Flask, revision: str) -> None:
    upgrade(str(MIGRATIONS), revision)
    before = tables()
    downgrade(str(MIGRATIONS), "-1")
    assert tables() != before
    upgrade(str(MIGRATIONS), revision)
    assert tables() == before


def test_a_store_with_rows_goes_all_the_way_down_and_up(bare: Flask) -> None:
    upgrade(str(MIGRATIONS))
    order = factories.order(factories.product(price=0))
    assert order.is_paid
    db.session.commit()
    db.session.remove()
    downgrade(str(MIGRATIONS), "base")
    assert tables() == set()
    upgrade(str(MIGRATIONS))
    assert db.session.query(Product).count() == 0


@pytest.mark.sqlite
def test_an_upgrade_that_breaks_half_way_leaves_nothing(
    bare: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic.operations import Operations

    made = []
    create = Operations.create_table

    def create_until_it_breaks(
        self: Operations, name: str, *rest: object, **more: object
    ) -> object:
        made.append(name)
        if len(made) == 5:
            raise RuntimeError("power cut")
        return create(self, name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Operations, "create_table", create_until_it_breaks)
    with pytest.raises((RuntimeError, SystemExit)):
        upgrade(str(MIGRATIONS))
    db.session.remove()
    assert tables() == set()


def test_foreign_keys_are_on_again_after_a_migration(bare: Flask) -> None:
    upgrade(str(MIGRATIONS))
    if db.engine.dialect.name == "sqlite":
        assert db.session.execute(text("PRAGMA foreign_keys")).scalar() == 1
    db.session.commit()
