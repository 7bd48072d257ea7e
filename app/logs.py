"""One line of JSON for each event, with the id of the request it belongs to.

A line holds no address of a buyer, no query string, and of a private page only the rule of its
path: there the path itself is a secret. JSON escapes control characters, so a line stays a line.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO, cast

from flask import g, has_request_context, request
from flask.logging import wsgi_errors_stream

from app.marks import public

if TYPE_CHECKING:
    from flask import Flask, Response

EMAIL = re.compile(r'([^\s@<>()",;:])[^\s@<>()",;:]*@([\w-]+(?:\.[\w-]+)*)')
LONG = 16  # characters from which on a part of an unknown path may be a secret

log = logging.getLogger("app.requests")


def init_app(app: Flask) -> None:
    """Write the process's log as JSON to the error stream, and a line for every request."""
    root = logging.getLogger()
    if not any(handler.name == "satchel" for handler in root.handlers):
        handler = logging.StreamHandler(cast(TextIO, wsgi_errors_stream))
        handler.name = "satchel"
        handler.setFormatter(JsonLine())
        root.addHandler(handler)
    root.setLevel(app.extensions["satchel"].config.log_level)
    _add_filter(logging.getLogger("werkzeug"), _not_an_access_line)
    _add_filter(app.logger, _mask_path)
    app.before_request(_begin)
    app.after_request(_end)


class JsonLine(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if has_request_context() and "request_id" in g:
            line["request_id"] = g.request_id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        masked = {name: _masked(value) for name, value in line.items()}
        return json.dumps(masked, default=lambda value: mask_emails(str(value)))


def mask_emails(text: str) -> str:
    """The text with every e-mail address down to its first letter and its domain."""
    return EMAIL.sub(r"\1***@\2", text)


def _masked(value: Any) -> Any:
    return mask_emails(value) if isinstance(value, str) else value


def shown_path() -> str:
    """The path of this request as far as it may be written down."""
    if request.url_rule is None:
        parts = request.path.split("/", 2)
        first = "…" if len(parts[1]) >= LONG else parts[1]
        return f"/{first}/…" if len(parts) > 2 else f"/{first}"
    return request.path if public.is_here() else request.url_rule.rule


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
    g.began_at = time.perf_counter()


def _end(response: Response) -> Response:
    if "request_id" not in g:
        return response
    response.headers["X-Request-ID"] = g.request_id
    fields = {
        "method": request.method,
        "path": shown_path(),
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.began_at) * 1000, 1),
        "ip": request.remote_addr,
        "user_agent": request.headers.get("User-Agent", "")[:200],
    }
    log.info("request", extra={"fields": fields})
    return response


def _add_filter(logger: logging.Logger, keep: Any) -> None:
    if keep not in logger.filters:
        logger.addFilter(keep)


def _not_an_access_line(record: logging.LogRecord) -> bool:
    """The development server writes paths in full; ours stand beside them."""
    return "HTTP/1." not in record.getMessage()


def _mask_path(record: logging.LogRecord) -> bool:
    """Flask names the path of a request that failed."""
    if str(record.msg).startswith("Exception on %s") and has_request_context():
        record.args = (shown_path(), request.method)
    return True
