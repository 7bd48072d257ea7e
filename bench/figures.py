"""Figures, as tables to read on a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median


@dataclass(kw_only=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]
        ruler = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        shown = [_row(self.columns, widths), _row(ruler, widths)]
        shown += [_row(row, widths) for row in self.rows]
        return "\n".join([f"## {self.title}", "", *shown, *(f"\n{note}" for note in self.notes)])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return f"| {' | '.join(padded)} |"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(ceil(len(ordered) * percent / 100) - 1, 0)]


def milliseconds(values: Sequence[float]) -> list[str]:
    """p50, p95, p99 and the longest, of times in milliseconds."""
    if not values:
        return ["–"] * 4
    return [f"{percentile(values, percent):.1f}" for percent in (50, 95, 99, 100)]


def spread(values: Sequence[float], digits: int = 0) -> list[str]:
    """Minimum, median and maximum."""
    return [f"{value:,.{digits}f}" for value in (min(values), median(values), max(values))]
