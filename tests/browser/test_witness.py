"""What the other tests rely on: a page that does what it must not is found out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.buyer import Visitor
from tests.browser.chromium import visiting
from tests.browser.store import Store
from tests.browser.test_pages import WCAG, inaccessible
from tests.browser.validator import Validator
from tests.browser.witness import Witness

LOAD_A_PICTURE = """() => document.body.append(
  Object.assign(new Image(), {src: "http://127.0.0.1:9/x.png"}))"""


@pytest.fixture
def watched(chromium: Browser, store: Store) -> Iterator[tuple[Visitor, Witness]]:
    visitor, witness = visiting(chromium, store)
    yield visitor.go("/cart"), witness
    visitor.page.context.close()


@pytest.mark.parametrize(
    ("misdeed", "found"),
    [
        (LOAD_A_PICTURE, "img-src"),
        ("() => console.error('ouch')", "console error: ouch"),
        ("() => setTimeout(() => { throw new Error('broken') })", "script error"),
        ("() => fetch('/nothing-of-the-kind').then(() => null)", "404 for"),
    ],
)
def test_the_witness_sees(watched: tuple[Visitor, Witness], misdeed: str, found: str) -> None:
    visitor, witness = watched
    assert witness.faults == []
    visitor.page.evaluate(misdeed)
    visitor.page.wait_for_timeout(100)
    assert any(found in fault for fault in witness.faults), witness.faults


def test_a_page_nobody_could_use_is_found_out(
    watched: tuple[Visitor, Witness], validator: Validator
) -> None:
    page = watched[0].page
    page.evaluate("() => document.querySelector('main').insertAdjacentHTML('beforeend', '<input>')")
    assert any("label" in fault for fault in inaccessible(page, "dark", {"runOnly": WCAG}))
    assert validator.faults("<!doctype html><html lang=en><title>x</title><p><div></p>")
