"""`flask store …`: the store as a whole."""

import sys

import click
from flask.cli import AppGroup

from app.services import invariants

group = AppGroup("store", help="The store as a whole.")


@group.command()
def check() -> None:
    """Check what must always be true; exit 1 and say so when it is not."""
    findings = invariants.findings()
    for finding in findings:
        click.echo(f"{finding.rule}: {finding.detail}")
    click.echo(f"{len(findings)} findings")
    sys.exit(1 if findings else 0)
