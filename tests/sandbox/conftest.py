import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sandbox.app import create_sandbox
from sandbox.chain import Chain
from sandbox.keys import Key, new_key
from sandbox.wallet import Wallet
from sandbox.world import World

DATA = Path(__file__).parent.parent / "data"
EXPLORER = "/v1/bsv/test"


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def merchant() -> Key:
    return new_key()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    app = create_sandbox(tmp_path, clock=clock)
    yield app
    world = app.extensions["sandbox"]
    world.chain.close()
    world.mailbox.close()


@pytest.fixture
def world(app: Flask) -> World:
    return app.extensions["sandbox"]


@pytest.fixture
def chain(world: World) -> Chain:
    return world.chain


@pytest.fixture
def wallet(world: World) -> Wallet:
    return world.wallet


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def explorer(client: FlaskClient) -> Callable[..., Any]:
    """Ask the explorer: a path alone is fetched, a body with it is posted."""

    def ask(path: str, body: object = None) -> Any:
        url = EXPLORER + path
        return client.get(url) if body is None else client.post(url, json=body)

    return ask


@pytest.fixture
def act(client: FlaskClient) -> Callable[..., Any]:
    """Send one of the sandbox's forms as a program does; its answer."""

    def send(path: str, **fields: str | int) -> Any:
        return client.post(path, data=fields, headers={"Accept": "application/json"})

    return send


@pytest.fixture(scope="session")
def samples() -> dict[str, Any]:
    return json.loads((DATA / "woc_bodies.json").read_text())["bodies"]


@pytest.fixture(scope="session")
def real_transactions() -> list[dict[str, Any]]:
    return json.loads((DATA / "vectors_public.json").read_text())["transactions"]
