"""Accounts: who may sign in, and where they are signed in."""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, select

from app import clock, tokens
from app.extensions import db, reading
from app.models import LoginSession, User
from app.services.common_passwords import COMMON
from app.services.database import insert_once
from app.wiring import settings

PASSWORD_LENGTH = 12  # characters at least; there is no upper bound that anybody meets
PASSWORD_LIMIT = 1024

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's minimum


class BadEmail(ValueError):
    """Not an address a letter can be sent to."""


class WeakPassword(ValueError):
    """A password that would be guessed."""


class EmailTaken(Exception):
    """There is an account with this e-mail already."""


class WrongCredentials(Exception):
    """No account has this e-mail and this password together."""


def normalise_email(text: str) -> str:
    """The address in the one spelling the store keeps, lower case; BadEmail says what is wrong."""
    text = text.strip()
    if any(ord(character) < 33 for character in text):
        raise BadEmail("An e-mail address has no spaces or line breaks.")
    try:
        found = validate_email(
            text, check_deliverability=False, test_environment=not settings().is_production
        )
    except EmailNotValidError as error:
        raise BadEmail("That does not look like an e-mail address: name@example.org") from error
    return found.normalized.lower()


def check_password(password: str) -> None:
    """WeakPassword, in the reader's words, unless the password is good enough."""
    if len(password) < PASSWORD_LENGTH:
        raise WeakPassword(
            f"Use at least {PASSWORD_LENGTH} characters; a few words make a good one."
        )
    if len(password) > PASSWORD_LIMIT:
        raise WeakPassword(f"Use at most {PASSWORD_LIMIT} characters.")
    if password.lower() in COMMON:
        raise WeakPassword("This password is one of the first that would be tried; choose another.")


def register(email: str, password: str) -> User:
    """A new account; BadEmail, WeakPassword or EmailTaken."""
    email = normalise_email(email)
    check_password(password)
    row = {
        "email": email,
        "password_hash": _hasher.hash(password),
        "is_admin": False,
        "created_at": clock.now(),
    }
    id_ = db.session.scalar(insert_once(User, row, on="email").returning(User.id))
    if id_ is None:
        raise EmailTaken(email)
    user: User = db.session.get_one(User, id_)
    return user


def create_admin(email: str, password: str) -> User:
    """An admin account; an existing account of that e-mail becomes one and takes the password."""
    email = normalise_email(email)
    check_password(password)
    user = db.session.scalar(select(User).where(User.email == email))
    if user is None:
        user = register(email, password)
    else:
        user.password_hash = _hasher.hash(password)
        sign_out_everywhere(user)
    user.is_admin = True
    user.email_verified_at = user.email_verified_at or clock.now()
    return user


def authenticate(email: str, password: str) -> User:
    """The account of this e-mail and password; WrongCredentials takes as long as success.

    Ends the transaction it finds: a hash takes long to check, and nothing is locked meanwhile.
    """
    of_this_email = select(User).where(User.email == email.strip().lower())
    db.session.rollback()
    with reading():
        found: User | None = db.session.scalar(of_this_email)
        password_hash = found.password_hash if found else _dummy_hash()
        db.session.rollback()
    try:
        _hasher.verify(password_hash, password[:PASSWORD_LIMIT])
    except (VerificationError, InvalidHashError) as error:
        raise WrongCredentials from error
    user: User | None = db.session.scalar(of_this_email)
    if user is None or user.password_hash != password_hash:  # changed in this very moment
        raise WrongCredentials
    if _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = _hasher.hash(password)
    return user


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    """A hash of nothing anybody knows, so that an unknown e-mail costs what a known one does."""
    return _hasher.hash(secrets.token_urlsafe())


def sign_in(user: User) -> User:
    """Open a session for this user; the returned user carries its secret for the cookie."""
    secret = secrets.token_urlsafe(32)
    now = clock.now()
    db.session.execute(delete(LoginSession).where(LoginSession.expires_at <= now))
    db.session.add(
        LoginSession(
            user=user,
            secret_hash=tokens.digest(secret),
            created_at=now,
            expires_at=now + timedelta(days=settings().session_days),
        )
    )
    user.login_secret = secret
    return user


def signed_in(secret: str) -> User | None:
    """Whose session this is, if it is still open."""
    user = db.session.scalar(
        select(User)
        .join(LoginSession)
        .where(
            LoginSession.secret_hash == tokens.digest(secret), LoginSession.expires_at > clock.now()
        )
    )
    if user is not None:
        user.login_secret = secret
    return user


def sign_out(user: User) -> None:
    """End the session this user came with; a copy of its cookie opens nothing afterwards."""
    if user.login_secret is not None:
        db.session.execute(
            delete(LoginSession).where(LoginSession.secret_hash == tokens.digest(user.login_secret))
        )


def sign_out_everywhere(user: User) -> None:
    """End every session of this user."""
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
