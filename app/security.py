"""Headers, cookies, hosts and limits that every request meets.

A page is private unless its view is marked `public`: nobody keeps it, no search engine lists it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Response, abort, current_app, request, session
from werkzeug.middleware.proxy_fix import ProxyFix

from app.csrf import HOURS_24, csrf, visitor_token
from app.marks import no_referrer, public, visitor_form
from app.wiring import settings

if TYPE_CHECKING:
    from flask import Flask

    from config import Config

__all__ = ["csrf", "has_session", "init_app", "no_referrer", "public", "visitor_form"]

MEGABYTE = 1024 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=63072000; includeSubDomains"


def init_app(app: Flask) -> None:
    """Put the guards around an app that is wired."""
    config: Config = app.extensions["satchel"].config
    app.config.update(_settings(config))
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask's documentation does
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0
        )
    app.before_request(_refuse_nul)
    csrf.init_app(app)
    app.jinja_env.globals["visitor_token"] = visitor_token
    app.after_request(_finish)


def has_session() -> bool:
    """Whether this visitor brought a session, so that their pages are their own."""
    return current_app.config["SESSION_COOKIE_NAME"] in request.cookies or session.modified


def _refuse_nul() -> None:
    """No address has a NUL in it; PostgreSQL would not even look."""
    if "\0" in request.path:
        abort(404)


def _settings(config: Config) -> dict[str, object]:
    prefix = "__Host-" if config.is_secure else ""
    cookie = {"SECURE": config.is_secure, "HTTPONLY": True, "SAMESITE": "Lax", "PATH": "/"}
    return {
        "SESSION_COOKIE_NAME": f"{prefix}session",
        **{f"SESSION_COOKIE_{name}": value for name, value in cookie.items()},
        "SESSION_REFRESH_EACH_REQUEST": False,
        "TRUSTED_HOSTS": [urlsplit(config.public_url).hostname, "localhost", "127.0.0.1"],
        "MAX_CONTENT_LENGTH": MEGABYTE,
        "MAX_FORM_MEMORY_SIZE": MEGABYTE,
        "MAX_FORM_PARTS": 200,
        "WTF_CSRF_TIME_LIMIT": HOURS_24,
        "WTF_CSRF_SSL_STRICT": False,  # asks for a Referer; `sent_from_elsewhere` asks for better
    }


def _finish(response: Response) -> Response:
    headers = response.headers
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if settings().is_secure:
        headers["Strict-Transport-Security"] = HSTS
    if public.is_here() and response.status_code < 400:
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        if "Cache-Control" not in headers:
            whose = "private" if has_session() else "public"
            headers["Cache-Control"] = f"{whose}, max-age=0, must-revalidate"
            response.vary.add("Cookie")
    else:
        headers["Referrer-Policy"] = "no-referrer" if no_referrer.is_here() else "same-origin"
        headers["Cache-Control"] = "no-store"
        headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
