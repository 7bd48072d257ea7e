"""What the operator does from the command line."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask

from app.models import User
from app.services import accounts
from tests.factories import PASSWORD
from tests.fakes.provider import FakeProvider


class JumpyProvider(FakeProvider):
    """A rail whose rate has jumped."""

    waiting: Decimal | None = Decimal(50)

    def accept_rate(self) -> Decimal | None:
        taken, self.waiting = self.waiting, None
        return taken


@pytest.fixture
def provider() -> FakeProvider:
    return JumpyProvider()


def run(app: Flask, *words: str, **options: object) -> str:
    result = app.test_cli_runner().invoke(args=words, **options)  # type: ignore[arg-type]
    return f"{result.exit_code}: {result.output}"


def test_a_rate_that_jumped_is_taken_on_the_operators_word(app: Flask) -> None:
    assert run(app, "payments", "accept-rate") == "0: Fake money: 50 USD is the rate now\n"
    assert run(app, "payments", "accept-rate") == "0: No rate waits for you.\n"


def test_an_admin_is_made_by_command_only(app: Flask) -> None:
    made = run(app, "users", "create-admin", "Boss@Example.org", env={"SATCHEL_PASSWORD": PASSWORD})
    assert made == "0: boss@example.org is an admin now\n"
    assert accounts.authenticate("boss@example.org", PASSWORD).is_admin


@pytest.mark.parametrize(("email", "password"), [("nobody", PASSWORD), ("a@example.org", "short")])
def test_a_bad_admin_is_refused_in_words(app: Flask, email: str, password: str) -> None:
    said = run(app, "users", "create-admin", email, env={"SATCHEL_PASSWORD": password})
    assert said.startswith("1: Error: ")
    assert app.extensions["sqlalchemy"].session.query(User).count() == 0


def test_a_healthy_store_has_no_findings(app: Flask) -> None:
    assert run(app, "store", "check") == "0: 0 findings\n"


def test_nothing_to_send_is_no_trouble(app: Flask) -> None:
    assert run(app, "mail", "send") == "0: 0 letters tried\n"
