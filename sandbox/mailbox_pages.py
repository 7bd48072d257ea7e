"""The mailbox for people and for programs."""

import re

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from sandbox.mailbox import Letter
from sandbox.world import answer_act, world

bp = Blueprint("mailbox", __name__)

LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)]")
HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
# No script, nothing fetched; a link opens in a tab of its own, outside the frame.
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


@bp.app_template_filter("with_links")
def with_links(text: str) -> Markup:
    """The text with its web addresses as links."""
    parts, at = [], 0
    for match in LINK.finditer(text):
        url = escape(match[0])
        parts += [escape(text[at : match.start()]), Markup('<a href="{0}">{0}</a>').format(url)]
        at = match.end()
    return Markup("").join([*parts, escape(text[at:])])


def _letter(number: int) -> Letter:
    return world().mailbox.letter(number) or abort(404)


@bp.get("/mailbox")
def show() -> ResponseReturnValue:
    to = request.args.get("to", "")
    return render_template("mailbox.html", letters=world().mailbox.letters(to=to), to=to)


@bp.get("/mailbox.json")
def as_json() -> ResponseReturnValue:
    letters = world().mailbox.letters(to=request.args.get("to", ""))
    return jsonify([letter.facts() for letter in letters])


@bp.get("/mailbox/<int:number>")
def letter(number: int) -> ResponseReturnValue:
    return render_template("letter.html", letter=_letter(number))


@bp.get("/mailbox/<int:number>/html")
def letter_html(number: int) -> ResponseReturnValue:
    html = _letter(number).html or abort(404)
    base = '<base target="_blank" rel="noopener">'
    found = HEAD.search(html)
    at = found.end() if found else 0
    response = Response(html[:at] + base + html[at:], mimetype="text/html")
    response.headers["Content-Security-Policy"] = LETTER_POLICY
    return response


@bp.get("/mailbox/<int:number>/source")
def letter_source(number: int) -> ResponseReturnValue:
    return Response(_letter(number).source, mimetype="text/plain")


@bp.post("/mailbox/empty")
def empty() -> ResponseReturnValue:
    world().mailbox.empty()
    return answer_act({"letters": 0}, "The mailbox is empty.", "mailbox.show")
