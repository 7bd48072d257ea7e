"""What goes wrong, as a page: one table from errors to their status, their words and a next step.

Services raise errors in the store's own language; here, once, they become HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException

from app.csrf import SentFromElsewhere, visitor_token
from app.extensions import db
from app.marks import visitor_form
from app.services import backoffice, carts, catalog, downloads, orders, payments
from app.storage import FileMissing

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """How one kind of error looks to whoever ran into it."""

    status: int
    title: str
    text: str | None = None  # None: the error's own words
    retry_after: int | None = None  # seconds


NOT_FOUND = Answer(
    status=404,
    title="This page is not here",
    text="The address may be mistyped, or what it led to is gone.",
)
BUSY = Answer(
    status=503,
    title="The store is busy",
    text="Nothing was lost and nothing was charged. Please try again in a moment.",
    retry_after=5,
)
EXPIRED_FORM = Answer(
    status=400,
    title="This form has expired",
    text="What you typed is kept below. Nothing has been sent yet.",
)
FROM_ELSEWHERE = Answer(
    status=400,
    title="This form came from another site",
    text="For your safety it was not accepted. Please begin again from the store's own pages.",
)

FILE_MISSING = Answer(
    status=503,
    title="This file cannot be fetched right now",
    text="No download was counted. It has been written down for the store to mend; please try again later.",
    retry_after=600,
)

STORE_ERRORS: dict[type[Exception], Answer] = {
    catalog.ProductNotFound: NOT_FOUND,
    catalog.PageNotFound: NOT_FOUND,
    catalog.TagNotFound: NOT_FOUND,
    carts.UnknownProduct: NOT_FOUND,
    orders.NoSuchOrder: NOT_FOUND,
    payments.UnknownProvider: NOT_FOUND,
    downloads.NoSuchEntitlement: NOT_FOUND,
    backoffice.NoSuchPage: NOT_FOUND,
    FileMissing: FILE_MISSING,
    OperationalError: BUSY,
    PoolExhausted: BUSY,
}

HTTP_ERRORS: dict[int, Answer] = {
    answer.status: answer
    for answer in (
        Answer(status=400, title="The store did not understand that", text="Please go back, check what you entered and try again."),
        Answer(status=401, title="Please sign in", text="This page belongs to an account."),
        Answer(status=403, title="This is not yours to open", text="Another account may have access to it."),
        NOT_FOUND,
        Answer(status=405, title="That does not work here", text="This address does not take that kind of request."),
        Answer(status=409, title="That has changed meanwhile", text="Please look at the page again before you go on."),
        Answer(status=410, title="This is no longer here", text="It was here once and is gone for good."),
        Answer(status=413, title="That is too much", text="What was sent is larger than the store accepts."),
        Answer(status=415, title="The store cannot read that", text="It was sent in a form the store does not know."),
        Answer(status=416, title="That part does not exist", text="The file is shorter than what was asked for."),
        Answer(status=422, title="Something is missing or wrong", text="Please go back, check what you entered and try again."),
        Answer(status=429, title="Too many tries", text="Please wait a little, then try again.", retry_after=60),
        Answer(status=500, title="Something went wrong here", text="The fault is ours. It has been written down; please try again."),
        Answer(status=502, title="A service we rely on is down", text="Please try again in a moment.", retry_after=30),
        BUSY,
    )
}  # fmt: skip

PASSWORD_WORDS = ("password", "passphrase")
LEFT_OUT = {"csrf_token"}


def init_app(app: Flask) -> None:
    """Turn every error that leaves a view into its page."""
    app.register_error_handler(CSRFError, _form_refused)
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


def _http_error(error: HTTPException) -> Response:
    known = HTTP_ERRORS.get(error.code or 500)
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
