"""A letter out of its folder: templates/emails/<letter>/{subject.txt,body.txt,body.html}."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import css_inline
from flask import render_template
from flask_mail import Message

_inliner = css_inline.CSSInliner(load_remote_stylesheets=False)


def render(letter: str, *, to: str, message_id: str, context: Mapping[str, Any]) -> Message:
    """The letter as it will be sent; the same context gives the same letter."""
    folder = f"emails/{letter}"
    message = Message(
        subject=_one_line(render_template(f"{folder}/subject.txt", **context)),
        recipients=[to],
        body=render_template(f"{folder}/body.txt", **context).strip() + "\n",
        html=_inliner.inline(render_template(f"{folder}/body.html", **context)),
    )
    message.msgId = message_id
    return message


def _one_line(text: str) -> str:
    """A header's value: no line breaks or control characters, whatever a product is called."""
    return " ".join("".join(" " if unicodedata.category(c)[0] == "C" else c for c in text).split())
