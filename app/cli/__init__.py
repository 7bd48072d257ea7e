"""The operator's commands, one module a group."""

from flask import Flask

from app.cli import mail, payments, products, store, users, worker


def init_app(app: Flask) -> None:
    """Hang the commands onto `flask`."""
    for group in (mail.group, payments.group, products.group, store.group, users.group):
        app.cli.add_command(group)
    app.cli.add_command(worker.worker)
