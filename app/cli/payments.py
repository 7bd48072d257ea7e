"""`flask payments …`: money on its way."""

import click
from flask.cli import AppGroup

from app.services import payments, upkeep

group = AppGroup("payments", help="Money on its way.")


@group.command()
def check() -> None:
    """Look once at every payment that is due to be looked at."""
    upkeep.run()
    seen = 0
    while count := payments.check_due():
        seen += count
    click.echo(f"{seen} payments looked at")
