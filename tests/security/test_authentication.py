"""Accounts: not to be guessed, listed or kept (rows A1 to A17 of docs/security.md)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median

import pytest
import time_machine
from flask import Flask

from app import clock
from app.extensions import db
from app.models import User
from app.services import accounts
from tests import factories
from tests.pages import Client
from tests.races import together
from tests.security.conftest import sign_in, token_for

Visitor = Callable[[], Client]
PASSWORD = factories.PASSWORD
WRONG = "this is not the password"


def try_to_sign_in(client: Client, email: str, password: str, **environment: str):
    fields = {"csrf_token": token_for(client, "/login"), "email": email, "password": password}
    return client.post("/login", data=fields, environ_overrides=environment)


# A2


def test_an_unknown_address_takes_as_long_as_a_known_one(app: Flask) -> None:
    known = factories.user().email
    took: dict[str, list[float]] = {known: [], "nobody@example.org": []}
    for _ in range(12):
        for email, times in took.items():
            began = time.perf_counter()
            with pytest.raises(accounts.WrongCredentials):
                accounts.authenticate(email, WRONG)
            times.append(time.perf_counter() - began)
    one, other = (min(times) for times in took.values())
    assert 0.6 < one / other < 1.7  # without the dummy, a hundredfold


# A3, A4, A5


def test_guessing_many_accounts_from_one_place_stops_too(client: Client) -> None:
    answers = [
        try_to_sign_in(client, f"user{number}@example.org", WRONG).status_code
        for number in range(12)
    ]
    assert answers == [422] * 10 + [429] * 2


def test_nobody_is_locked_out_for_more_than_five_minutes(client: Client) -> None:
    email = factories.user().email
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(11):
            try_to_sign_in(client, email, WRONG)
        assert try_to_sign_in(client, email, PASSWORD).status_code == 429
        traveller.shift(timedelta(minutes=5, seconds=1))
        assert try_to_sign_in(client, email, PASSWORD).status_code == 303


def test_a_flood_of_sign_ins_leaves_the_shop_open(app: Flask, visitor: Visitor) -> None:
    email = factories.user().email
    clients = [visitor() for _ in range(12)]
    tokens = [token_for(client, "/login") for client in clients]
    waited: list[float] = []

    def act(number: int) -> int:
        if number >= len(clients):
            began = time.perf_counter()
            status = visitor().get("/").status_code
            waited.append(time.perf_counter() - began)
            return status
        return (
            clients[number]
            .post(
                "/login",
                data={"csrf_token": tokens[number], "email": email, "password": WRONG},
                environ_overrides={"REMOTE_ADDR": f"10.0.1.{number}"},
            )
            .status_code
        )

    outcome = together(app, len(clients) + 4, act)
    assert outcome.errors == []
    assert set(outcome.results) <= {200, 422, 429}
    assert median(waited) < 2


# A8


def test_a_new_password_ends_every_session(client: Client) -> None:
    email = factories.user().email
    sign_in(client, email)
    accounts.create_admin(email, "another long password")
    db.session.commit()
    assert client.get("/account/orders").status_code == 302
    with pytest.raises(accounts.WrongCredentials):
        accounts.authenticate(email, PASSWORD)


def test_a_sign_in_ends_after_two_weeks_whatever_the_cookie_says(
    app: Flask, client: Client
) -> None:
    name = app.config["SESSION_COOKIE_NAME"]
    with time_machine.travel(clock.now(), tick=False) as traveller:
        sign_in(client, factories.user().email)
        kept = client.get_cookie(name)
        assert kept is not None
        traveller.shift(timedelta(days=14, seconds=1))
        app.permanent_session_lifetime = timedelta(days=365)
        client.set_cookie(name, kept.value)
        assert client.get("/account/orders").status_code == 302


def test_no_second_cookie_remembers_anybody(client: Client) -> None:
    fields = {"email": factories.user().email, "password": PASSWORD, "remember": "1"}
    token = token_for(client, "/login")
    answer = client.post("/login", data=fields | {"csrf_token": token, "remember_me": "on"})
    assert [cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")] == [
        "session"
    ]


# A17


def test_nobody_is_an_admin_by_being_first(client: Client) -> None:
    assert db.session.query(User).count() == 0
    for name in ("admin", "admin@localhost", "admin@example.org"):
        for password in ("admin", "password", "changeme"):
            answer = try_to_sign_in(client, name, password, REMOTE_ADDR=f"10.0.0.{len(name)}")
            assert answer.status_code == 422
    client.submit("/register", "/register", email="first@example.org", password=PASSWORD)
    client.environ_base["REMOTE_ADDR"] = "10.0.0.99"
    sign_in(client, "first@example.org")
    assert db.session.query(User).one().is_admin is False
    assert client.get("/admin/").status_code == 404
