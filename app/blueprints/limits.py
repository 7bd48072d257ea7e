"""How often is too often, all in one place."""

from __future__ import annotations

from flask import Response, request

from app import tokens

ORDERS = "30 per hour"  # by one address of the network
PROOFS = "5 per minute"  # for one order
SIGN_INS = "10 per 5 minutes"  # for one account, and by one address of the network
SIGN_INS_OF_ALL = "1000 per 5 minutes"
REGISTRATIONS = "10 per 5 minutes"


def succeeded(response: Response) -> bool:
    """Whether a form was taken; an order counts when it is placed."""
    return response.status_code == 303


def failed(response: Response) -> bool:
    """Whether a form was not taken; only wrong passwords count."""
    return response.status_code != 303


def by_link() -> str:
    """Whoever comes, by the page's own link; never the link itself."""
    return tokens.digest((request.view_args or {}).get("token", ""))


def by_account() -> str:
    """Wherever it comes from, by the e-mail that was typed; never the e-mail itself."""
    return tokens.digest(request.form.get("email", "").strip().lower())


def by_nobody() -> str:
    """All visitors together."""
    return "everybody"
