"""The operator's commands about products."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from flask.cli import with_appcontext

from app.extensions import db


@click.group("products")
def group() -> None:
    """Products on sale."""


@group.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@with_appcontext
def import_folder(folder: Path) -> None:
    """Make a product of each file in FOLDER, or bring it up to date.

    A .toml file of the same name may say name, price, summary, text, tags, version, pictures and
    position. A product without a price stays hidden until it has one.
    """
    # They read pictures and PDFs, and are slow to import.
    from app.services import files, goods, products

    counts: Counter[str] = Counter()
    taken: dict[str, str] = {}
    for good in goods.find(folder):
        try:
            if good.slug in taken:
                raise products.GoodRefused(f"has the address of {taken[good.slug]}: rename one")
            taken[good.slug] = files.display_name(good.stem)
            product, outcome = products.save(products.prepare(good))
        except products.GoodRefused as error:
            db.session.rollback()
            counts["refused"] += 1
            click.echo(f"  refused      {files.display_name(good.stem)}: {error}", err=True)
            continue
        line = f"  {outcome:<11}  {product.name}"
        if not product.price_minor:
            line += " (hidden until its .toml gives a price)"
        db.session.commit()
        counts[outcome] += 1
        click.echo(line)
    summary = ", ".join(f"{count} {what}" for what, count in counts.items())
    click.echo(f"Products: {summary or 'nothing to import'}.")
    if counts["refused"]:
        raise SystemExit(1)
