"""A whole store for each test: a real database, real files, and an outside world with memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, make_url, text

from app import create_app
from app.extensions import db
from app.models import Base
from config import Config
from tests.fakes.outgoing import Outgoing
from tests.fakes.provider import FakeProvider
from tests.pages import Client

SECRET_KEY = "a secret of the tests, long enough for anybody"


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database with all tables, for this process of the test run alone."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    server = os.environ.get("TEST_DATABASE_URL")
    url = (
        fresh_postgres(server, f"satchel_test_{worker}")
        if server
        else f"sqlite:///{tmp_path_factory.mktemp('database')}/store.db"
    )
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    return url


def fresh_postgres(server: str, name: str) -> str:
    """An empty database of this name on a PostgreSQL server; its URL."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of the test's store; a test may change them before it asks for `app`."""
    return {
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database_url,
        "PUBLIC_URL": "http://localhost",
        "STORE_NAME": "Test store",
        "STORAGE_DIR": str(tmp_path / "storage"),
        "MAIL_FROM": "store@example.org",
    }


@pytest.fixture
def provider() -> FakeProvider:
    """The one way to pay; a test says what arrives."""
    return FakeProvider()


@pytest.fixture
def outgoing() -> Outgoing:
    """The mail server; it keeps every letter and refuses what a test tells it to."""
    return Outgoing()


@pytest.fixture
def app(environment: dict[str, str], provider: FakeProvider, outgoing: Outgoing) -> Iterator[Flask]:
    """The store, with a context pushed so that services can be called."""
    app = create_app(Config.from_env(environment), providers=[provider], mailer=outgoing)
    app.test_client_class = Client
    with app.app_context():
        yield app
        db.session.remove()
        empty()
        db.engine.dispose()


def empty() -> None:
    """Remove every row."""
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        else:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())


@pytest.fixture
def client(app: Flask) -> Client:
    """A visitor; every page it gets is checked (tests/pages.py)."""
    made = app.test_client()
    assert isinstance(made, Client)
    return made
