"""Downloads: twenty visitors press the button of one link at once, and the link allows five."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from threading import Barrier

from sqlalchemy import func, select

from app.extensions import db
from app.models import Entitlement, Payment, Product, ReleaseFile
from app.services import links, verdicts
from bench import fill
from bench.buying import all_of_it, opened
from bench.crowd import crowd
from bench.figures import Table, milliseconds
from bench.place import databases, place, served
from bench.visitor import Lap, Visitor
from tests.fakes.provider import FakeProvider

AT_ONCE, LINKS, PATIENCE = 20, 5, 30
TOGETHER = Barrier(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Attempt:
    sha256: str | None  # of the file, if one came
    laps: list[Lap]

    @property
    def button(self) -> Lap:
        return self.laps[1]


def measure(database: str) -> Table:
    """Race for a few links, one after the other."""
    provider = FakeProvider()
    with place(database) as at:
        with fill.inside(at, providers=[provider]):
            fill.products(1)
            product_id = db.session.scalars(select(Product.id)).one()
            tokens = [
                _link(verdicts.record(all_of_it(opened(product_id, provider.id))))
                for _ in range(LINKS)
            ]
            file_id, sha256 = db.session.execute(select(ReleaseFile.id, ReleaseFile.sha256)).one()
        with served(at) as server:
            races = [
                crowd(partial(attempt, server.port, token, file_id), times=AT_ONCE, at_once=AT_ONCE)
                for token in tokens
            ]
        with fill.inside(at):
            counted = db.session.scalar(select(func.sum(Entitlement.downloads_used)))
    return _table(database, races, sha256, int(counted or 0))


def attempt(port: int, token: str, file_id: int, number: int) -> Attempt:
    """One visitor opens the link, presses the button and takes the file."""
    with Visitor(port, f"10.1.0.{number}") as visitor:
        page = visitor.get(f"/downloads/{token}", name="page")
        TOGETHER.wait(PATIENCE)
        started = visitor.post(f"/downloads/{token}/files/{file_id}", page.fields(), name="button")
        if started.status != 303:
            return Attempt(None, visitor.laps)
        file = visitor.get(started.location, name="file")
        return Attempt(hashlib.sha256(file.body).hexdigest(), visitor.laps)


def _link(payment: Payment) -> str:
    return links.token_of(payment.order.entitlements[0])


def _table(database: str, races: list[list[Attempt]], sha256: str, counted: int) -> Table:
    served_ = [sum(one.sha256 is not None for one in race) for race in races]
    refused = [sum(one.button.status == 410 for one in race) for race in races]
    every = [one for race in races for one in race]
    table = Table(
        title=f"Twenty downloads at once on {database}",
        columns=(
            "Links", "Allowed each", "Files served each", "Refused each", "Counted in all",
            "Wrong files", "Button ms p50", "p95", "p99", "max",
        ),
    )  # fmt: skip
    wrong = sum(one.sha256 not in {None, sha256} for one in every)
    table.rows.append(
        (
            str(len(races)),
            "5",
            ", ".join(map(str, served_)),
            ", ".join(map(str, refused)),
            str(counted),
            str(wrong),
            *milliseconds([one.button.milliseconds for one in every]),
        )
    )
    table.notes.append(
        f"A file of {fill.FILE_BYTES / 1e6:.0f} MB, sent by gunicorn; every byte is compared."
    )
    return table


def main() -> None:
    for database in databases():
        print(measure(database), end="\n\n")


if __name__ == "__main__":
    main()
