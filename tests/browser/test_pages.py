"""Every page and state: for all eyes and ears, valid, quiet, and whole on a small screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.chromium import visiting
from tests.browser.conftest import Arrive
from tests.browser.store import Store
from tests.browser.tour import STOPS, Tour
from tests.browser.validator import Validator

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALLEST = {"width": 320, "height": 640}  # WCAG 1.4.10
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
AXE = Axe().axe_script


@pytest.fixture(scope="session")
def tour(chromium: Browser, store: Store) -> Iterator[Tour]:
    contexts = []

    def arrive(**how: bool):
        visitor, _ = visiting(chromium, store, **how)
        contexts.append(visitor.page.context)
        return visitor

    yield Tour(store, arrive)
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", STOPS)
def test_a_page_is_fit_for_everybody(
    arrive: Arrive, tour: Tour, validator: Validator, name: str
) -> None:
    visitor = arrive()
    STOPS[name](tour, visitor)
    page, faults = visitor.page, validator.faults(visitor.html)

    faults += inaccessible(page, "dark", {"runOnly": WCAG})
    page.set_viewport_size(SMALLEST)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    only_looks = {"color-contrast", "target-size", "scrollable-region-focusable"}
    faults += inaccessible(page, "light, small", {"runOnly": sorted(only_looks)})
    if (too_wide := page.evaluate(TOO_WIDE)) > 0:
        faults.append(f"{too_wide} pixels wider than a screen of {SMALLEST['width']}")

    assert faults == [], f"{name} ({visitor.path})"


def inaccessible(page: Page, look: str, options: dict[str, list[str]]) -> list[str]:
    """What keeps somebody from using the page, a sentence each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    answer = page.evaluate("o => axe.run(o)", {**options, "resultTypes": ["violations"]})
    return [
        f"{look}: {violation['id']}, {violation['help']}: {node['html']}"
        for violation in answer["violations"]
        for node in violation["nodes"]
    ]
