"""Forms are taken from our own pages only.

Every POST needs a token, and must not come from another site as far as the browser says. Pages of
visitors carry no session, so that they can be kept; their forms hold a token that is signed and
timed but bound to nobody. It is taken only by views marked `visitor_form`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, g, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from app.marks import visitor_form
from app.wiring import settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
HOUR = 60 * 60
HOURS_24 = 24 * HOUR


class SentFromElsewhere(CSRFError):
    """The browser says that another site sent this form."""


class FormGuard(CSRFProtect):
    """Flask-WTF's protection, with the visitor's token and the browser's word beside it."""

    def protect(self, apply_exemptions: bool = False) -> None:
        """Let the request pass, or raise CSRFError."""
        if request.method in SAFE_METHODS:
            return
        if apply_exemptions and (not request.endpoint or self._is_exempt()):
            return
        if sent_from_elsewhere():
            raise SentFromElsewhere
        if visitor_form.is_here() and holds_visitor_token(self._get_csrf_token()):
            g.csrf_valid = True
            return
        super().protect(apply_exemptions=apply_exemptions)


csrf = FormGuard()


def sent_from_elsewhere() -> bool:
    """Whether the browser says so; one that says nothing is believed, it still needs a token."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site not in {None, "same-origin", "none"}:
        return True
    if origin is None or (origin == "null" and site == "same-origin"):
        return False  # "null": sent from a page with the referrer policy no-referrer
    return origin not in {_origin(request.host_url), _origin(settings().public_url)}


def visitor_token() -> str:
    """A token for a form on a page without a session; good for a day."""
    return _signer().dumps("")


def holds_visitor_token(token: str | None) -> bool:
    """Whether this is a visitor's token that has not expired."""
    try:
        _signer().loads(token or "", max_age=HOURS_24)
    except BadData:
        return False
    return True


class _ByTheHour(TimestampSigner):
    """All tokens of an hour are alike, so that every process keeps the same page and ETag."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() // HOUR * HOUR


def _signer() -> URLSafeTimedSerializer:
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]
    return URLSafeTimedSerializer(keys, salt="visitor form", signer=_ByTheHour)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
