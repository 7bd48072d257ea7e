"""The table of attacks names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_defence_in_the_table_has_its_test() -> None:
    table = (ROOT / "docs" / "security.md").read_text()
    tests = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    rows = [
        row for row in table.split("## Not yet")[0].splitlines() if re.match(r"\| [A-Z]\d", row)
    ]
    assert len(rows) > 60
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert set(named) <= tests, set(named) - tests
