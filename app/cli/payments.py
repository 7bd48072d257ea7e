"""`flask payments …`: money on its way."""

import click
from flask.cli import AppGroup

from app.services import payments, upkeep

group = AppGroup("payments", help="Money on its way.")


@group.command()
def check() -> None:
    """Look now at every open payment, and at whatever else is due."""
    upkeep.run()
    seen = payments.check_open()
    while count := payments.check_due():
        seen += count
    click.echo(f"{seen} payments looked at")
