"""Pictures of every page and state: `python -m tests.browser.pictures FOLDER [NAME…]`."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from tests.browser import store as stores
from tests.browser.buyer import Visitor
from tests.browser.chromium import chromium_at, visiting
from tests.browser.tour import STOPS, Tour

WIDTHS = {360: 740, 1280: 800}
THEMES = ("dark", "light")


def main() -> None:
    parser = argparse.ArgumentParser(description="Picture every page of the store in its states.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(STOPS)}")
    parser.add_argument("--scale", type=float, default=0.1, help="size of the sample goods")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(STOPS):
        parser.error(f"no such page: {', '.join(sorted(unknown))}")
    chromium = shutil.which("chromium") or parser.error("no Chromium here")
    asked.folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as kept,
        sync_playwright() as playwright,
        stores.running(Path(kept), scale=asked.scale) as store,
    ):
        browser = chromium_at(playwright, chromium)
        tour = Tour(store, lambda **how: visiting(browser, store, **how)[0])
        for name in asked.names or STOPS:
            visitor, witness = visiting(browser, store)
            try:
                STOPS[name](tour, visitor)
            except (AssertionError, Error) as error:
                print(f"{name}: not reached, pictured where it ended: {error}")
            picture(visitor, asked.folder, name)
            for fault in witness.faults:
                print(f"{name}: {fault}")
            visitor.page.context.close()
        browser.close()
    print(f"Pictures are in {asked.folder}")


def picture(visitor: Visitor, folder: Path, name: str) -> None:
    """One picture for each width and theme, from top to bottom."""
    page = visitor.page
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=True)


if __name__ == "__main__":
    main()
