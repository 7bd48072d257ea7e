"""`make bench`: measures everything, prints it, and writes docs/performance.md."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sqlite3
from importlib.metadata import version
from pathlib import Path

from bench import downloads, orders, pages, settle
from bench.figures import Table
from bench.place import ROOT, THREADS, WORKERS, databases

PAGE = ROOT / "docs" / "performance.md"
MEASURED = "<!-- Below this line `make bench` writes. -->"
PARTS = {"orders": orders, "pages": pages, "downloads": downloads, "settle": settle}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts, and only print")
    options = parser.parse_args()
    tables: list[Table] = []
    loads = [os.getloadavg()[0]]
    for name in options.only or PARTS:
        for database in databases():
            tables.append(PARTS[name].measure(database))
            loads.append(os.getloadavg()[0])
            print(tables[-1], end="\n\n", flush=True)
    head = machine(loads)
    print(head, end="\n\n")
    if not options.only:
        write("\n\n".join([head, *map(str, tables)]))
        print(f"Written to {PAGE.relative_to(ROOT)}.")


def write(measured: str) -> None:
    """Put the figures below what is said about them."""
    said, found, _ = PAGE.read_text().partition(MEASURED)
    if not found:
        raise SystemExit(f"{PAGE} has lost the line that says where figures go: {MEASURED}")
    PAGE.write_text(f"{said}{MEASURED}\n\n{measured}\n")


def machine(loads: list[float]) -> str:
    """What was measured on, and how busy it was meanwhile."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = cpu[1] if cpu else platform.machine()
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    load = f"load average {loads[0]:.1f} before the start, {max(loads):.1f} at most"
    software = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    software |= {name: version(name) for name in ("gunicorn", "Flask", "SQLAlchemy")}
    versions = ", ".join(f"{name} {number}" for name, number in software.items())
    return (
        f"## The machine\n\n{processor}, {os.cpu_count()} cores, {memory:.0f} GiB,"
        f" {system}; {load}."
        f" {versions}; gunicorn as gthread with {WORKERS} × {THREADS} threads."
    )


if __name__ == "__main__":
    main()
