"""A seller's Markdown as HTML that cannot harm a reader.

Raw HTML is shown as text, pictures come from this store only, links lead to the web or to a
mailbox. What the parser made is cleaned once more by an allow-list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

FIRST_HEADING = 3  # the page has its own h1 and h2
TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}


@lru_cache(maxsize=256)
def render(text: str) -> Markup:
    """Safe HTML for this Markdown; its headings begin at h3."""
    clean = nh3.clean(
        _parser.render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_own_pictures_only,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )
    return Markup(clean)  # noqa: S704 - cleaned the line before


def is_own(address: str) -> bool:
    """Whether a picture's address stays in this store."""
    return address.startswith("/") and not address.startswith(("//", "/\\"))


def _own_pictures_only(tag: str, attribute: str, value: str) -> str | None:
    return value if (tag, attribute) != ("img", "src") or is_own(value) else None


def _picture(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Mapping[str, Any]
) -> str:
    """The picture, or its description where it would come from elsewhere."""
    if is_own(str(tokens[at].attrs["src"])):
        return renderer.image(tokens, at, options, env)  # type: ignore[arg-type]
    return escapeHtml(tokens[at].content)


def _lower_headings(state: StateCore) -> None:
    """Map the levels in use onto h3, h4, …, whichever the seller began with."""
    headings = [token for token in state.tokens if token.type.startswith("heading_")]
    levels = sorted({token.tag for token in headings})
    for token in headings:
        token.tag = f"h{min(FIRST_HEADING + levels.index(token.tag), 6)}"


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.core.ruler.push("lower_headings", _lower_headings)
    parser.add_render_rule("image", _picture)
    return parser


_parser = _make_parser()
