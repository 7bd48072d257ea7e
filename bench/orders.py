"""Orders: parallel clients buy through the real pages; none may fail, none may be lost."""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import select

from app.extensions import db
from app.models import Order, Payment
from bench import fill
from bench.crowd import crowd
from bench.figures import Table, milliseconds, percentile
from bench.place import Place, Server, databases, place, served, watched
from bench.visitor import Answer, Lap, Visitor

ORDERS, CLIENTS = 400, (8, 32)
PRODUCTS, PAST = 1_000, 10_000
NUMBER = re.compile(r"Order (S-[0-9A-Z]{8})</h1>")
INVOICE = re.compile(r'href="bitcoin:(\w+)\?sv&amp;amount=([0-9.]+)')
Shown = tuple[str | None, str | None, int | None]
STEPS = ("product", "add", "cart", "checkout", "place", "order")


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a buyer was shown in the end, and how long each step took."""

    number: str | None
    address: str | None
    satoshis: int | None
    laps: list[Lap]


def measure(database: str, *, orders: int = ORDERS, clients: tuple[int, ...] = CLIENTS) -> Table:
    """Place so many orders with each number of clients, on a fresh database each time."""
    table = Table(
        title=f"Placing orders on {database}",
        columns=(
            "Clients", "Orders", "Errors", "Lost", "Orders/s",
            "Placing ms p50", "p95", "p99", "max",
            "In the store p99", "max", "Any page p99",
        ),
    )  # fmt: skip
    for count in clients:
        with place(database) as at:
            with fill.inside(at):
                slugs = fill.products(PRODUCTS)
                fill.past_orders(PAST)
            with served(at) as server, watched(at):
                table.rows.append(_row(at, server, slugs, orders, count))
    table.notes.append(
        f"Each order is six requests of a new guest: {', '.join(STEPS)}; the last shows the address"
        f" and the amount. {PRODUCTS:,} products, {PAST:,} older orders, gunicorn and the worker"
        " running, the explorer beside them without a limit. *Errors* are 5xx, broken connections"
        " and pages that were not what they should be; *lost* are orders shown but not stored as"
        " shown, or stored but not shown. *In the store* is the time of the placing request as the"
        " store's own log tells it, without the wait for a free thread."
    )
    return table


def _row(at: Place, server: Server, slugs: list[str], orders: int, clients: int) -> list[str]:
    crowd(partial(buy, server.port, slugs, "warm"), times=16, at_once=8)
    began = time.monotonic()
    purchases = crowd(partial(buy, server.port, slugs, "run"), times=orders, at_once=clients)
    seconds = time.monotonic() - began
    laps = [lap for purchase in purchases for lap in purchase.laps]
    placing = [lap.milliseconds for lap in laps if lap.name == "place"]
    inside = placing_times(server.log)[-orders:]
    return [
        str(clients),
        str(len(purchases)),
        str(errors(purchases)),
        str(lost(at, purchases)),
        f"{orders / seconds:.0f}",
        *milliseconds(placing),
        f"{percentile(inside, 99):.1f}",
        f"{max(inside):.1f}",
        f"{percentile([lap.milliseconds for lap in laps], 99):.1f}",
    ]


def buy(port: int, slugs: list[str], run: str, number: int) -> Purchase:
    """One guest's way from a product to the page that says how to pay."""
    slug = slugs[number % len(slugs)]
    with Visitor(port, f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}") as guest:
        page = guest.get(f"/products/{slug}", name="product")
        fields = {**page.fields(), "quantity": "1"}
        cart = guest.post("/cart/items", fields, name="add")
        guest.get(cart.location or "/cart", name="cart")
        fields = guest.get("/checkout", name="checkout").fields()
        fields["email"] = f"{run}{number}@example.org"
        placed = guest.post("/checkout", fields, name="place")
        shown = guest.get(placed.location, name="order") if placed.status == 303 else placed
        return Purchase(*_told(shown), guest.laps)


def _told(page: Answer) -> tuple[str | None, str | None, int | None]:
    number, invoice = NUMBER.search(page.text), INVOICE.search(page.text)
    if number is None or invoice is None:
        return number and number[1], None, None
    whole, _, part = invoice[2].partition(".")
    return number[1], invoice[1], int(whole + part.ljust(8, "0"))


def errors(purchases: list[Purchase]) -> int:
    """Requests that were not answered as they should be."""
    expected = {"add": 303, "place": 303}
    return sum(
        lap.status != expected.get(lap.name, 200) for purchase in purchases for lap in purchase.laps
    ) + sum(len(purchase.laps) != len(STEPS) for purchase in purchases)


def lost(at: Place, purchases: list[Purchase]) -> int:
    """Orders that a buyer saw and the database has not, or the other way round."""
    with fill.inside(at):
        rows = select(Order.number, Payment.reference, Payment.due_minor).outerjoin(Order.payments)
        found = db.session.execute(rows.where(Order.email.like("run%"))).all()
    stored: Counter[Shown] = Counter((number, to, due) for number, to, due in found)
    shown: Counter[Shown] = Counter((one.number, one.address, one.satoshis) for one in purchases)
    return max((shown - stored).total(), (stored - shown).total())


def placing_times(log: Path) -> list[float]:
    """How long the store itself took to place each order, as it has written down."""
    lines = (line for line in log.read_text().splitlines() if '"path": "/checkout"' in line)
    told = map(json.loads, lines)
    return [line["ms"] for line in told if line["method"] == "POST"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    options = parser.parse_args()
    for database in databases():
        print(measure(database, orders=options.orders, clients=tuple(options.clients)), end="\n\n")


if __name__ == "__main__":
    main()
