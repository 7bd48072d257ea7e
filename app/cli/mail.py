"""`flask mail …`: letters."""

import click
from flask.cli import AppGroup

from app.services import outbox

group = AppGroup("mail", help="Letters that wait to be sent.")


@group.command()
def send() -> None:
    """Send every letter that is due, then stop."""
    tried = 0
    while count := outbox.deliver_due():
        tried += count
    click.echo(f"{tried} letters tried")
