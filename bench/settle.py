"""Settling: the store's own time from what a provider saw to entitlement and letter, committed."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from sqlalchemy import select

from app.extensions import db
from app.models import Product
from app.services import invariants, verdicts
from bench import fill
from bench.buying import all_of_it, opened
from bench.figures import Table, percentile, spread
from bench.place import databases, place
from tests.fakes.provider import FakeProvider

PAYMENTS, PAST = 200, (100, 100_000)


def measure(database: str, *, past: Sequence[int] = PAST) -> Table:
    """Settle payments one after the other, with few and with many orders in the table."""
    table = Table(
        title=f"Settling a payment on {database}",
        columns=("Orders in the table", "Payments", "ms min", "median", "max", "p95", "Findings"),
    )
    for count in past:
        times, findings = _settle(database, count)
        table.rows.append(
            (
                f"{count:,}",
                str(PAYMENTS),
                *spread(times, 1),
                f"{percentile(times, 95):.1f}",
                str(findings),
            )
        )
    table.notes.append(
        "In one process: observation, verdict, entitlement, letter and commit. *Findings* are"
        " broken invariants among the payments of the run (`flask store check` asks for the same)."
    )
    return table


def _settle(database: str, past: int) -> tuple[list[float], int]:
    provider = FakeProvider()
    with place(database) as at, fill.inside(at, providers=[provider]):
        fill.products(10)
        fill.past_orders(past)
        before = len(invariants.findings())  # of the made-up past, which had no letters
        product_id = db.session.scalars(select(Product.id).limit(1)).one()
        times = []
        for number in range(PAYMENTS + 5):
            observation = all_of_it(opened(product_id, provider.id))
            db.session.remove()
            began = time.perf_counter()
            verdicts.record(observation)
            took = (time.perf_counter() - began) * 1000
            db.session.remove()
            if number >= 5:  # the first ones build statements that all others use
                times.append(took)
        return times, len(invariants.findings()) - before


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.settle", description=__doc__)
    parser.add_argument("--past", type=int, nargs="+", default=PAST)
    options = parser.parse_args()
    for database in databases():
        print(measure(database, past=options.past), end="\n\n")


if __name__ == "__main__":
    main()
