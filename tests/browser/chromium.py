"""Chromium, as tests and pictures start it."""

from __future__ import annotations

import itertools
import os
from typing import Any

from playwright.sync_api import Browser, Playwright

from tests.browser.buyer import Visitor
from tests.browser.store import Store
from tests.browser.witness import Witness

QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOKS: dict[str, Any] = {
    "viewport": {"width": 1280, "height": 800},
    "color_scheme": "dark",
    "reduced_motion": "reduce",
    "locale": "en-GB",
    "timezone_id": "Europe/Berlin",
}
_visitors = itertools.count()


def chromium_at(playwright: Playwright, path: str) -> Browser:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=[*QUIET, *as_root])


def visiting(
    browser: Browser, store: Store, *, scripts: bool = True, **looks: Any
) -> tuple[Visitor, Witness]:
    """A visitor with a fresh browser profile, and who watches over it."""
    comes_from = f"10.0.0.{next(_visitors) % 250 + 1}"
    context = browser.new_context(
        **LOOKS | looks,
        java_script_enabled=scripts,
        extra_http_headers={"X-Forwarded-For": comes_from},  # limits count for each by itself
    )
    witness = Witness(context, store.url)
    return Visitor(context.new_page(), store, scripts=scripts), witness
