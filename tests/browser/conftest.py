"""One store and one Chromium for all journeys; a browser of its own for each visitor."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import store as stores
from tests.browser import validator as validators
from tests.browser.buyer import Visitor
from tests.browser.chromium import chromium_at, visiting
from tests.browser.store import Store
from tests.browser.validator import Validator
from tests.browser.witness import Witness

NO_CHROMIUM = "no Chromium here: browser tests are skipped"
Arrive = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))  # they share one store
            item.add_marker(pytest.mark.sqlite)  # which brings its own database


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = chromium_at(playwright, path)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def store(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The whole store; a session that made it fail behind its pages fails in the end."""
    with stores.running(tmp_path_factory.mktemp("browser")) as store:
        yield store
        assert "Traceback" not in store.printed, store.printed


@pytest.fixture(scope="session")
def validator() -> Iterator[Validator]:
    if missing := validators.missing():
        pytest.skip(missing)
    with validators.running() as validator:
        yield validator


@pytest.fixture
def arrive(chromium: Browser, store: Store) -> Iterator[Arrive]:
    """Makes visitors; none may meet a fault that the witness sees."""
    witnesses: list[Witness] = []
    contexts = []

    def make(*, scripts: bool = True, **looks: object) -> Visitor:
        visitor, witness = visiting(chromium, store, scripts=scripts, **looks)
        witnesses.append(witness)
        contexts.append(visitor.page.context)
        return visitor

    yield make
    for context in contexts:
        context.close()
    assert [fault for witness in witnesses for fault in witness.faults] == []


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def visitor(request: pytest.FixtureRequest, arrive: Arrive) -> Visitor:
    """A visitor, once with scripts and once without."""
    return arrive(scripts=request.param)


@pytest.fixture
def email() -> str:
    """An address nobody has used before."""
    return f"buyer-{os.urandom(4).hex()}@example.org"
