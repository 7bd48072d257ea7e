"""What was copied from other projects is what the list says, and all that is used is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_vendored_files_are_those_of_the_list() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "vendor"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_asset_a_template_names_is_there() -> None:
    named = set()
    for template in (ROOT / "app" / "templates").rglob("*.html"):
        named |= set(re.findall(r"asset\(['\"]([^'\"]+)['\"]\)", template.read_text("utf-8")))
    assert named
    assert [name for name in sorted(named) if not (ROOT / "app" / "static" / name).is_file()] == []


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    sprite = (ROOT / "app" / "static" / "vendor" / "icons.svg").read_text("utf-8")
    drawn = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    named = set()
    for template in (ROOT / "app" / "templates").rglob("*.html"):
        text = template.read_text("utf-8")
        named |= set(re.findall(r"(?:icon\(|symbol=)\"([a-z0-9-]+)\"", text))
    assert named
    assert named - drawn == set()
