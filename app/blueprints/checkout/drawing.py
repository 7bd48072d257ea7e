"""A QR code as a drawing inside the page: no picture to fetch, no script to run."""

from __future__ import annotations

import segno
from markupsafe import Markup

QUIET = 4  # modules of white around it, as scanners want


def qr(text: str) -> Markup:
    """The text as an SVG, dark on white in every theme; its frame says what it is."""
    drawing = segno.make(text, error="m", micro=False).svg_inline(
        border=QUIET, light="#fff", svgclass="qr-code", lineclass=None, omitsize=True
    )
    return Markup(drawing)  # noqa: S704 - drawn by segno, which lets no character of the text out
