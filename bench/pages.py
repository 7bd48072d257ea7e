"""Pages: what a visitor may see, beside a bare Flask "hello" under the same server."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from statistics import median

from bench import fill
from bench.barrage import Request, barrage, etag_of
from bench.figures import Table, spread
from bench.place import SHOP, Server, databases, place, served
from bench.visitor import Visitor

PRODUCTS, PAST = 10_000, 10_000
ROUNDS, SECONDS, CLIENTS = 5, 2.0, 8


def measure(database: str, *, rounds: int = ROUNDS, seconds: float = SECONDS) -> Table:
    """Requests a second, each page in turn, round after round."""
    with place(database) as at:
        with fill.inside(at):
            slugs = fill.products(PRODUCTS)
            fill.past_orders(PAST)
        with served(at) as store, served(at, "bench.hello:app") as hello:
            requests = _requests(store, hello, slugs[0])
            for request in requests.values():  # every process renders and imports once
                barrage(request, clients=CLIENTS, seconds=0.5)
            rates: dict[str, list[float]] = {name: [] for name in requests}
            for _ in range(rounds):
                for name, request in requests.items():
                    rates[name].append(barrage(request, clients=CLIENTS, seconds=seconds))
            return _table(database, rates, rounds, store)


def _requests(store: Server, hello: Server, slug: str) -> dict[str, Request]:
    home, product = "/", f"/products/{slug}"
    to_store = partial(_request, store.port)
    return {
        "bare Flask “hello”": _request(hello.port, "/", {}, 200),
        "catalogue": to_store(home, {}, 200),
        "catalogue, 304": to_store(home, {"If-None-Match": etag_of(to_store(home, {}, 200))}, 304),
        "product": to_store(product, {}, 200),
        "product, 304": to_store(
            product, {"If-None-Match": etag_of(to_store(product, {}, 200))}, 304
        ),
        "catalogue, with a cart": to_store(
            home, {"Cookie": _with_a_cart(store.port, product)}, 200
        ),
    }


def _request(port: int, path: str, headers: Mapping[str, str], status: int) -> Request:
    everywhere = {"Host": SHOP, "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https"}
    return Request(port, path, {**everywhere, **headers}, status)


def _with_a_cart(port: int, product: str) -> str:
    """The cookie of a visitor whose pages are their own, since something is in the cart."""
    with Visitor(port, "10.0.0.2") as visitor:
        fields = visitor.get(product, name="product").fields()
        visitor.post("/cart/items", {**fields, "quantity": "1"}, name="add")
        return visitor.cookie


def _table(database: str, rates: Mapping[str, list[float]], rounds: int, store: Server) -> Table:
    table = Table(
        title=f"Pages of a visitor on {database}",
        columns=("Page", "min req/s", "median", "max", "× hello"),
    )
    hello = median(next(iter(rates.values())))
    for name, found in rates.items():
        table.rows.append((name, *spread(found), f"{median(found) / hello:.2f}"))
    memory = ", ".join(f"{megabytes:.0f}" for megabytes in store.memory())
    table.notes.append(
        f"{CLIENTS} connections kept open by one process, {rounds} interleaved rounds."
        f" {PRODUCTS:,} products, {PAST:,} orders. First answer {store.start_seconds:.1f} s after"
        f" the start; afterwards {memory} MB resident in the two processes."
    )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    for database in databases():
        print(measure(database, rounds=options.rounds, seconds=options.seconds), end="\n\n")


if __name__ == "__main__":
    main()
