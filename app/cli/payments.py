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


@group.command("accept-rate")
def accept_rate() -> None:
    """Take an exchange rate that jumped too far to be taken without you."""
    accepted = upkeep.accept_rates()
    for label, rate in accepted.items():
        click.echo(f"{label}: {rate} USD is the rate now")
    if not accepted:
        click.echo("No rate waits for you.")
