"""A seller writes Markdown; no reader can be harmed by it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from app.markdown import TAGS, render

SCHEMES = {"http", "https", "mailto"}
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='https://evil.example'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>body{display:none}</style>",
    "<form action='https://evil.example'><input name=password></form>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](https://example.org "\\" onmouseover=alert(1) x=\\"")',
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    '![" onerror=alert(1) x="](/pictures/a.webp)',
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    "# <script>alert(1)</script>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
]


class Reader(HTMLParser):
    """Notes what a browser would run or fetch from elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.dangers: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.dangers.append(f"<{tag}>")
        for name, value in attributes:
            scheme = (value or "").partition(":")[0]
            if name in {"href", "src"} and ":" in (value or "") and scheme not in SCHEMES:
                self.dangers.append(f"{name}={value}")
            if name not in {"href", "src", "alt", "title", "rel", "start"}:
                self.dangers.append(name)


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_in_a_description_runs(text: str) -> None:
    assert Reader(render(text)).dangers == []


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/a.png", "//evil.example/a.png", "a.png"],
)
def test_a_picture_from_elsewhere_becomes_its_description(address: str) -> None:
    html = render(f"Look: ![a sunset]({address})")
    assert "<img" not in html
    assert "a sunset" in html


def test_a_picture_of_the_store_is_shown() -> None:
    html = render("![a sunset](/pictures/abc.webp)")
    assert '<img src="/pictures/abc.webp" alt="a sunset">' in html


def test_headings_begin_below_those_of_the_page() -> None:
    html = render("# One\n\n### Two\n\n# Three")
    assert "<h3>One</h3>" in html
    assert "<h4>Two</h4>" in html
    assert "<h3>Three</h3>" in html


def test_links_lead_out_without_vouching_for_what_is_there() -> None:
    assert 'rel="nofollow noopener"' in render("[the paper](https://example.org/paper)")


def test_tables_and_lists_keep_their_form() -> None:
    html = render("| Size |\n|---|\n| Large |\n\n- one\n- two")
    assert "<td>Large</td>" in html
    assert html.count("<li>") == 2
