"""Accounts: not to be guessed, listed, borrowed or kept (rows A1 to A17 of docs/security.md)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median

import pytest
import time_machine
from flask import Flask
from limits import parse

from app import clock
from app.blueprints import limits
from app.extensions import db, limiter
from app.models import LoginSession, User
from app.services import accounts
from tests import buying, factories
from tests.fakes.provider import FakeProvider
from tests.pages import Client
from tests.races import together
from tests.security.conftest import Bought, sign_in, token_for

Visitor = Callable[[], Client]
PASSWORD = factories.PASSWORD
WRONG = "this is not the password"


def without(html: str, *words: str) -> str:
    """A page without its tokens and without what the visitor typed."""
    html = re.sub(r'name="csrf_token" value="[^"]*"', "", html)
    for word in words:
        html = html.replace(word, "")
    return html


def try_to_sign_in(client: Client, email: str, password: str, **environment: str):
    fields = {"csrf_token": token_for(client, "/login"), "email": email, "password": password}
    return client.post("/login", data=fields, environ_overrides=environment)


# A1, A2


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client) -> None:
    known = factories.user().email
    answers = [
        client.submit("/login", "/login", email=email, password=WRONG)
        for email in (known, "nobody@example.org")
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert len({without(a.text, known, "nobody@example.org") for a in answers}) == 1


def test_registering_a_known_address_looks_like_registering_a_new_one(visitor: Visitor) -> None:
    known, new = factories.user().email, "new@example.org"
    shown = []
    for email in (known, new):
        client = visitor()
        answer = client.submit("/register", "/register", email=email, password="a long new one")
        shown.append((answer.status_code, answer.location))
        shown.append(without(client.get(answer.location).text, email))
    assert shown[:2] == shown[2:]
    assert accounts.authenticate(known, PASSWORD).email == known


def test_an_unknown_address_takes_as_long_as_a_known_one(app: Flask) -> None:
    known = factories.user().email
    took: dict[str, list[float]] = {known: [], "nobody@example.org": []}
    for _ in range(12):
        for email, times in took.items():
            began = time.perf_counter()
            with pytest.raises(accounts.WrongCredentials):
                accounts.authenticate(email, WRONG)
            times.append(time.perf_counter() - began)
    one, other = (median(times) for times in took.values())
    assert 0.6 < one / other < 1.7  # without the dummy, a hundredfold


# A3, A4, A5


def test_guessing_stops_whatever_address_is_claimed(client: Client) -> None:
    email = factories.user().email
    token = token_for(client, "/login")
    for number in range(25):
        claimed = f"10.0.0.{number}"
        answer = client.post(
            "/login",
            data={"csrf_token": token, "email": email, "password": WRONG},
            headers={"X-Forwarded-For": claimed, "X-Real-IP": claimed, "Forwarded": claimed},
        )
        assert answer.status_code == (422 if number < 10 else 429)
    right = try_to_sign_in(client, email, PASSWORD)
    assert right.status_code == 429
    assert int(right.headers["Retry-After"]) > 0


def test_guessing_one_account_from_many_places_stops_too(visitor: Visitor) -> None:
    email = factories.user().email
    answers = [
        try_to_sign_in(visitor(), spelling, WRONG, REMOTE_ADDR=f"10.0.0.{number}").status_code
        for number, spelling in enumerate([email, email.upper(), f" {email} "] * 4)
    ]
    assert answers == [422] * 10 + [429] * 2


def test_guessing_many_accounts_from_one_place_stops_too(client: Client) -> None:
    answers = [
        try_to_sign_in(client, f"user{number}@example.org", WRONG).status_code
        for number in range(12)
    ]
    assert answers == [422] * 10 + [429] * 2


def test_a_right_password_is_not_counted(visitor: Visitor) -> None:
    email = factories.user().email
    for _ in range(12):
        sign_in(visitor(), email)


def test_nobody_is_locked_out_for_more_than_five_minutes(client: Client) -> None:
    email = factories.user().email
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(11):
            try_to_sign_in(client, email, WRONG)
        assert try_to_sign_in(client, email, PASSWORD).status_code == 429
        traveller.shift(timedelta(minutes=5, seconds=1))
        assert try_to_sign_in(client, email, PASSWORD).status_code == 303


def test_all_guesses_together_have_a_limit(visitor: Visitor) -> None:
    email = factories.user().email
    assert try_to_sign_in(visitor(), email, PASSWORD).status_code == 303
    allowed = parse(limits.SIGN_INS_OF_ALL)
    assert limiter.limiter.hit(allowed, limits.by_nobody(), "auth.login", cost=998)
    answers = [
        try_to_sign_in(visitor(), email, PASSWORD, REMOTE_ADDR=f"10.0.0.{number}").status_code
        for number in range(2)
    ]
    assert answers == [303, 429]


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
    assert max(waited) < 2


# A6, A7, A8


def test_a_session_planted_before_the_sign_in_opens_nothing_after_it(
    app: Flask, client: Client, visitor: Visitor
) -> None:
    name, thief = app.config["SESSION_COOKIE_NAME"], visitor()
    thief.get("/login")
    planted = thief.get_cookie(name)
    assert planted is not None
    client.set_cookie(name, planted.value)
    sign_in(client, factories.user().email)
    now = client.get_cookie(name)
    assert now is not None
    assert now.value != planted.value
    assert client.get("/account/orders").status_code == 200
    assert thief.get("/account/orders").status_code == 302


def test_a_copied_cookie_is_dead_after_signing_out(
    app: Flask, client: Client, visitor: Visitor
) -> None:
    name, thief = app.config["SESSION_COOKIE_NAME"], visitor()
    sign_in(client, factories.user().email)
    cookie = client.get_cookie(name)
    assert cookie is not None
    thief.set_cookie(name, cookie.value)
    assert thief.get("/account/orders").status_code == 200
    assert client.submit("/account/orders", "/logout").status_code == 303
    assert thief.get("/account/orders").status_code == 302
    assert db.session.query(LoginSession).count() == 0


def test_signing_out_here_leaves_other_devices_signed_in(client: Client, visitor: Visitor) -> None:
    email, elsewhere = factories.user().email, visitor()
    sign_in(client, email)
    sign_in(elsewhere, email)
    client.submit("/account/orders", "/logout")
    assert elsewhere.get("/account/orders").status_code == 200


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


# A13, A15, A16, A17


def test_an_account_with_a_guests_address_sees_nothing_of_hers(
    client: Client, visitor: Visitor, provider: FakeProvider, bought: Bought
) -> None:
    email, number = bought.order.email, bought.order.number
    thief = visitor()
    thief.submit("/register", "/register", email=email, password=PASSWORD)
    sign_in(thief, email)
    buying.pay(provider, buying.order(visitor(), factories.product(), email=email))
    shelf = thief.get("/account/orders").text
    assert number not in shelf
    assert "/orders/" not in shelf


@pytest.mark.parametrize("password", ["short", "password1234", "elevenchars", "x" * 1025, ""])
def test_a_weak_password_is_refused(client: Client, password: str) -> None:
    answer = client.submit("/register", "/register", email="a@example.org", password=password)
    assert answer.status_code == 422
    assert db.session.query(User).count() == 0


def test_every_byte_of_a_long_password_counts(app: Flask) -> None:
    accounts.register("a@example.org", "x" * 99 + "y")
    with pytest.raises(accounts.WrongCredentials):
        accounts.authenticate("a@example.org", "x" * 99 + "z")


def test_another_site_can_neither_sign_a_visitor_in_nor_out(client: Client) -> None:
    email = factories.user().email
    assert client.post("/login", data={"email": email, "password": PASSWORD}).status_code == 400
    sign_in(client, email)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").status_code == 400
    assert client.get("/account/orders").status_code == 200


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
