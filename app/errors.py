"""What goes wrong, as a page: one table from errors to their status, their words and a next step.

Services raise errors in the store's own language; here, once, they become HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException, SecurityError

from app.csrf import SentFromElsewhere, visitor_token
from app.error_words import (
    BUSY,
    EXPIRED_FORM,
    FILE_MISSING,
    FROM_ELSEWHERE,
    HTTP_ANSWERS,
    KEY_MISSING,
    NOT_FOUND,
    Answer,
)
from app.extensions import db
from app.marks import visitor_form
from app.services import backoffice, carts, catalog, downloads, links, openings, orders
from app.storage import FileMissing

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)

STORE_ERRORS: dict[type[Exception], Answer] = {
    catalog.ProductNotFound: NOT_FOUND,
    catalog.PageNotFound: NOT_FOUND,
    catalog.TagNotFound: NOT_FOUND,
    carts.UnknownProduct: NOT_FOUND,
    orders.NoSuchOrder: NOT_FOUND,
    openings.UnknownProvider: NOT_FOUND,
    downloads.NoSuchEntitlement: NOT_FOUND,
    backoffice.NoSuchPage: NOT_FOUND,
    FileMissing: FILE_MISSING,
    links.TokenLost: KEY_MISSING,
    DataError: HTTP_ANSWERS[400],  # what no column holds: a NUL, a number too large
    OperationalError: BUSY,
    PoolExhausted: BUSY,
}

PASSWORD_WORDS = ("password", "passphrase")
LEFT_OUT = {"csrf_token"}


def init_app(app: Flask) -> None:
    """Turn every error that leaves a view into its page."""
    app.register_error_handler(CSRFError, _form_refused)
    app.register_error_handler(SecurityError, _host_refused)
    app.register_error_handler(HTTPException, _http_error)
    for error in STORE_ERRORS:
        app.register_error_handler(error, _store_error)


def _store_error(error: Exception) -> Response:
    db.session.rollback()
    kinds = (kind for kind in type(error).__mro__ if kind in STORE_ERRORS)
    answer = STORE_ERRORS[next(kinds)]
    if answer.status >= 500:
        log.error("%s: %s", answer.title, error, exc_info=error)
    return _page(replace(answer, text=str(error)) if answer.text is None else answer)


def _host_refused(_error: SecurityError) -> Response:
    """For a host that is not ours there are no addresses to link to."""
    return Response("Bad request: this store has another name.\n", 400, mimetype="text/plain")


def _http_error(error: HTTPException) -> Response:
    known = HTTP_ANSWERS.get(error.code or 500)
    answer = known or Answer(status=error.code or 500, title=error.name, text="")
    return _page(answer, headers=_kept_headers(error))


def _kept_headers(error: HTTPException) -> Mapping[str, str]:
    """What belongs to the status: the methods allowed, the size of a file, when to come back."""
    kept = {"Allow", "Content-Range", "Retry-After", "WWW-Authenticate"}
    return {name: value for name, value in error.get_headers() if name in kept}


def _form_refused(error: CSRFError) -> Response:
    if isinstance(error, SentFromElsewhere):  # no button to press that would send it after all
        return _page(FROM_ELSEWHERE)
    fields = [
        (name, value)
        for name, values in request.form.lists()
        for value in values
        if name not in LEFT_OUT and not _is_password(name)
    ]
    return _page(
        EXPIRED_FORM,
        template="errors/expired_form.html",
        fields=fields,
        passwords=[name for name in request.form if _is_password(name)],
        visitor_token=visitor_token() if visitor_form.is_here() else None,
    )


def _is_password(name: str) -> bool:
    return any(word in name.lower() for word in PASSWORD_WORDS)


def _page(
    answer: Answer,
    *,
    template: str = "errors/error.html",
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> Response:
    request_id = g.get("request_id") if answer.status >= 500 else None
    accepted = request.accept_mimetypes
    if accepted.accept_json and not accepted.accept_html:
        said = {"status": answer.status, "error": answer.title, "detail": answer.text}
        response = jsonify(said | ({"request_id": request_id} if request_id else {}))
    else:
        bare = answer.status >= 500  # nothing that asks the database or the session
        response = make_response(
            render_template(template, answer=answer, request_id=request_id, bare=bare, **values)
        )
    response.status_code = answer.status
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(answer.retry_after)
    response.headers.update(headers or {})
    return response
