"""The store's own stylesheets, scripts and drawings, under an address that names their content.

One changed byte changes the address of all of them, so each may be kept for a year.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.headers import Headers

from whitenoise import WhiteNoise

if TYPE_CHECKING:
    from flask import Flask

FOLDER = Path(__file__).resolve().parent / "static"
YEAR = 365 * 24 * 60 * 60


def init_app(app: Flask) -> None:
    """Serve the folder in front of the app, and give templates `asset(name)`."""
    prefix = f"/static/{fingerprint(FOLDER)}"
    files = WhiteNoise(
        app.wsgi_app,
        root=FOLDER,
        prefix=prefix,
        max_age=YEAR,
        immutable_file_test=lambda _path, _url: True,
        allow_all_origins=False,
        add_headers_function=_headers,
    )
    app.wsgi_app = files  # type: ignore[method-assign]  # as Flask's documentation does
    app.jinja_env.globals["asset"] = lambda name: f"{prefix}/{name}"


def fingerprint(folder: Path) -> str:
    """A short hash over the names and contents of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _headers(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Content-Security-Policy"] = "default-src 'none'"
