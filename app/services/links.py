"""Links that are their own key, and addresses that hold outside a request."""

from __future__ import annotations

from typing import Any, Protocol

from flask import current_app

from app import tokens
from app.wiring import settings


class HasToken(Protocol):
    """A row that a secret link opens."""

    __tablename__: Any
    token_nonce: Any
    token_epoch: Any
    token_hash: Any


class TokenLost(Exception):
    """The key this row's token was made with is no longer configured."""


class BelongsToAccount(Exception):
    """The link is good, but the account it belongs to must be signed in."""


def give_token(row: HasToken) -> None:
    """Give a row a link of its own; an earlier one stops working."""
    row.token_nonce = tokens.nonce()
    row.token_epoch = (row.token_epoch or 0) + 1
    row.token_hash = tokens.digest(_make(settings().secret_key, row))


def token_of(row: HasToken) -> str:
    """The row's token, made again under the key it was first made with."""
    config = settings()
    for key in (config.secret_key, *config.secret_key_fallbacks):
        token = _make(key, row)
        if tokens.digest(token) == row.token_hash:
            return token
    raise TokenLost(row.__tablename__)


def _make(key: str, row: HasToken) -> str:
    return tokens.make(key, row.__tablename__, row.token_nonce, row.token_epoch)


def absolute(endpoint: str, **values: Any) -> str:
    """The public address of a page; from PUBLIC_URL alone, never from what a request claims."""
    path = current_app.url_map.bind("localhost").build(endpoint, values)
    return settings().public_url + path


def order_url(order: HasToken) -> str:
    """Where the order's buyer finds it."""
    return absolute("checkout.order", token=token_of(order))


def entitlement_url(entitlement: HasToken) -> str:
    """Where the buyer downloads what the entitlement is for."""
    return absolute("library.entitlement", token=token_of(entitlement))
