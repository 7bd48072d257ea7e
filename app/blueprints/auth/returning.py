"""Where a visitor goes after signing in: back to a page of this site, never elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit


def safe_path(wanted: str | None, *, default: str) -> str:
    """The path if it can only mean a page of this very site, else the default."""
    if not wanted or not wanted.startswith("/") or wanted.startswith("//"):
        return default
    if "\\" in wanted or any(ord(character) < 33 or ord(character) == 127 for character in wanted):
        return default
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else wanted
