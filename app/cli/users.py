"""`flask users …`: accounts."""

import click
from flask.cli import AppGroup

from app.extensions import db
from app.services import accounts

group = AppGroup("users", help="Accounts.")


@group.command("create-admin")
@click.argument("email")
@click.option(
    "--password", envvar="SATCHEL_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True
)
def create_admin(email: str, password: str) -> None:
    """Make EMAIL an admin, with a password asked for (or taken from SATCHEL_PASSWORD)."""
    try:
        user = accounts.create_admin(email, password)
    except (accounts.BadEmail, accounts.WeakPassword) as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"{user.email} is an admin now")
