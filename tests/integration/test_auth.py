"""Accounts: nobody learns who has one, and a sign-in ends when it is ended."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.blueprints import limits
from app.blueprints.auth.returning import safe_path
from app.extensions import db
from app.models import LoginSession, User
from app.services import accounts
from app.services.common_passwords import COMMON
from tests import factories
from tests.factories import PASSWORD
from tests.pages import Client


def sign_in(client: Client, email: str, password: str = PASSWORD, **fields: str) -> int:
    return client.submit("/login", "/login", email=email, password=password, **fields).status_code


def bare(text: str) -> str:
    """A page without its token and without the address that was typed into it."""
    text = re.sub(r'(name="csrf_token"[^>]*value=")[^"]*', r"\1", text)
    return re.sub(r"[a-z]+@example\.org", "", text)


def is_signed_in(client: Client) -> bool:
    return client.get("/account/orders").status_code == 200


def test_register_then_sign_in_then_sign_out(client: Client) -> None:
    answer = client.submit("/register", "/register", email="Ada@Example.org", password=PASSWORD)
    assert answer.status_code == 303
    assert "Please sign in with your new password." in client.get(answer.location).text
    assert sign_in(client, "ada@example.org") == 303
    assert is_signed_in(client)
    client.submit("/account/orders", "/logout")
    assert not is_signed_in(client)


def test_a_taken_address_looks_like_a_new_one(client: Client, app: Flask) -> None:
    factories.user(email="known@example.org")
    answers = {}
    for email in ("known@example.org", "fresh@example.org"):
        visitor = app.test_client()
        assert isinstance(visitor, Client)
        first = visitor.submit("/register", "/register", email=email, password="a new passphrase")
        after = visitor.get(first.location)
        answers[email] = (first.status_code, first.location, bare(first.text), bare(after.text))
    assert answers["known@example.org"] == answers["fresh@example.org"]
    assert sign_in(client, "known@example.org", "a new passphrase") == 422
    assert sign_in(client, "known@example.org") == 303


def test_a_wrong_password_and_an_unknown_address_look_alike(client: Client, app: Flask) -> None:
    factories.user(email="known@example.org")
    answers = []
    for email in ("known@example.org", "other@example.org"):
        visitor = app.test_client()
        assert isinstance(visitor, Client)
        answer = visitor.submit("/login", "/login", email=email, password="not the password")
        answers.append((answer.status_code, bare(answer.text)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 422


@pytest.mark.parametrize(
    "password",
    ["short", "elevenchars", "password1234", "aaaaaaaaaaaa", "abcabcabcabc", "123456789012",
     "PASSWORD1234", "x" * 2000],
)  # fmt: skip
def test_a_password_that_would_be_guessed_is_refused(client: Client, password: str) -> None:
    answer = client.submit("/register", "/register", email="ada@example.org", password=password)
    assert answer.status_code == 422
    assert 'id="password-errors"' in answer.text
    assert 'value="ada@example.org"' in answer.text
    assert password not in answer.text
    assert not db.session.query(User).count()


def test_passwords_of_a_few_words_are_fine() -> None:
    assert "tall wooden boats at dawn" not in COMMON
    assert "ein ganz eigenes Wort" not in COMMON
    accounts.check_password("ä" * 6 + "öüßéèê")


def test_a_long_password_counts_to_its_last_byte(client: Client) -> None:
    long = "a long one " * 9 + "x"
    client.submit("/register", "/register", email="ada@example.org", password=long)
    assert sign_in(client, "ada@example.org", long[:-1] + "y") == 422
    assert sign_in(client, "ada@example.org", long) == 303


def test_nobody_registers_as_admin(client: Client) -> None:
    fields = client.page("/register").forms[-1].fields
    extra = {"is_admin": "1", "email_verified_at": "2020-01-01", "id": "1", "verified": "true"}
    form = {**fields, **extra, "email": "ada@example.org", "password": PASSWORD}
    assert client.post("/register", data=form).status_code == 303
    made = db.session.query(User).one()
    assert (made.is_admin, made.email_verified_at) == (False, None)


def test_ten_wrong_passwords_close_the_door_for_a_while(client: Client) -> None:
    email = factories.user().email
    statuses = [sign_in(client, email, "wrong") for _ in range(25)]
    assert statuses == [422] * 10 + [429] * 15
    answer = client.submit("/login", "/login", email=email, password=PASSWORD)
    assert answer.status_code == 429, "with the right password too"
    assert 0 < int(answer.headers["Retry-After"]) <= 300


def test_forged_addresses_of_the_network_open_no_door(client: Client) -> None:
    email = factories.user().email
    form = {**client.page("/login").forms[-1].fields, "email": email, "password": "wrong"}
    statuses = [
        client.post("/login", data=form, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
        for n in range(25)
    ]
    assert statuses.count(422) == 10


def test_one_account_is_guarded_from_many_places(client: Client) -> None:
    email = factories.user().email
    form = {**client.page("/login").forms[-1].fields, "email": email, "password": "wrong"}
    statuses = [
        client.post("/login", data=form, environ_base={"REMOTE_ADDR": f"203.0.113.{n}"}).status_code
        for n in range(12)
    ]
    assert statuses == [422] * 10 + [429] * 2
    other = {**form, "email": factories.user().email, "password": PASSWORD}
    elsewhere = {"REMOTE_ADDR": "203.0.113.99"}
    assert client.post("/login", data=other, environ_base=elsewhere).status_code == 303


def test_right_passwords_do_not_count_against_anybody(client: Client) -> None:
    email = factories.user().email
    for _ in range(12):
        assert sign_in(client, email) == 303
        client.submit("/account/orders", "/logout")


def test_all_sign_ins_together_have_a_limit() -> None:
    assert limits.SIGN_INS == "10 per 5 minutes"
    assert limits.SIGN_INS_OF_ALL == "1000 per 5 minutes"


def test_many_registrations_from_one_place_are_slowed(client: Client) -> None:
    statuses = [
        client.submit("/register", "/register", email="ada@example.org", password="x").status_code
        for _ in range(11)
    ]
    assert statuses == [422] * 10 + [429]


def test_a_copied_cookie_dies_with_the_sign_out(client: Client, app: Flask) -> None:
    sign_in(client, factories.user().email)
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    thief = app.test_client()
    assert isinstance(thief, Client)
    thief.set_cookie(name, cookie.value)
    assert is_signed_in(thief)
    client.submit("/account/orders", "/logout")
    assert not is_signed_in(thief)
    assert not db.session.query(LoginSession).count()


def test_signing_out_on_one_device_leaves_the_other(client: Client, app: Flask) -> None:
    email = factories.user().email
    other = app.test_client()
    assert isinstance(other, Client)
    for device in (client, other):
        sign_in(device, email)
    client.submit("/account/orders", "/logout")
    assert is_signed_in(other)


def test_a_session_from_before_does_not_survive_the_sign_in(client: Client) -> None:
    client.get("/login")
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        before = session["csrf_token"]
    sign_in(client, factories.user().email)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != before


def test_nobody_is_signed_out_by_a_link(client: Client) -> None:
    sign_in(client, factories.user().email)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").status_code == 400
    assert is_signed_in(client)


def test_what_no_database_holds_is_no_fault_of_the_store(client: Client) -> None:
    answer = client.submit("/login", "/login", email="ada\0@example.org", password="a\0b")
    assert answer.status_code in {400, 422}
    answer = client.submit("/register", "/register", email="ada\0@example.org", password=PASSWORD)
    assert answer.status_code == 422
    assert client.get("/admin/orders/%00").status_code == 404
    assert client.get("/products/%00").status_code in {400, 404}
    assert client.get("/orders/%00").status_code == 404
    assert client.get("/?q=%00").status_code in {200, 400}


def test_signing_in_needs_a_form_of_ours(client: Client) -> None:
    form = {"email": factories.user().email, "password": PASSWORD}
    assert client.post("/login", data=form).status_code == 400
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example",
     "/\t/evil.example", "/\n/e/", " /x", "javascript:alert(1)", "http:evil.example",
     "evil.example", "", "///evil.example", "/%0d%0a\r\n", "\x00/x"],
)  # fmt: skip
def test_after_signing_in_nobody_is_led_elsewhere(client: Client, wanted: str) -> None:
    form = {**client.page("/login").forms[-1].fields, "next": wanted}
    form |= {"email": factories.user().email, "password": PASSWORD}
    assert client.post("/login", data=form).location == "/account/orders"
    assert safe_path(wanted, default="/home") == "/home"


def test_after_signing_in_a_visitor_goes_on_where_they_wanted(client: Client) -> None:
    form = client.page("/login?next=/checkout").forms[-1].fields
    assert form["next"] == "/checkout"
    form |= {"email": factories.user().email, "password": PASSWORD}
    assert client.post("/login", data=form).location == "/checkout"
    assert client.get("/login?next=/cart").location == "/cart"
