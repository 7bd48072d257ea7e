"""From a link to a file: the page counts nothing, the button counts one, the file itself none."""

from __future__ import annotations

from pathlib import Path

from flask import Response, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from app.blueprints import visitor
from app.blueprints.library.blueprint import bp
from app.extensions import db
from app.marks import no_referrer
from app.models import Download, Entitlement, ReleaseFile
from app.services import catalog, downloads, links
from app.services.downloads import DownloadRefused, Suspended
from app.wiring import settings

SHOWN_AS = frozenset(  # all others are application/octet-stream: nothing a browser would run
    {"application/pdf", "application/zip", "image/png", "image/jpeg", "application/epub+zip"}
)
MISLEADING = dict.fromkeys([*range(32), 127, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "_")


@bp.get("/downloads/<token>")
@no_referrer
def entitlement(token: str) -> ResponseReturnValue:
    found = downloads.open_by_token(token, user=visitor.signed_in())
    return _page(found, token, downloads.refusal(found))


@bp.post("/downloads/<token>/files/<int:file_id>")
@no_referrer
def start(token: str, file_id: int) -> ResponseReturnValue:
    found = downloads.open_by_token(token, user=visitor.signed_in())
    try:
        download = downloads.start(found, file_id)
    except DownloadRefused as refusal:
        return _page(found, token, refusal)
    db.session.commit()
    return redirect(url_for(".file", token=links.token_of(download)), 303)


@bp.get("/files/<token>")
@no_referrer
def file(token: str) -> ResponseReturnValue:
    try:
        found, path = downloads.resume(token, user=visitor.signed_in())
    except DownloadRefused as refusal:
        return _refused(refusal)
    response = _stream(found, path)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _page(found: Entitlement, token: str, refusal: DownloadRefused | None) -> ResponseReturnValue:
    page = render_template(
        "library/entitlement.html",
        entitlement=found,
        token=token,
        refusal=refusal,
        files=[(one, catalog.file_view(one)) for one in downloads.files(found.product)],
        running=[(one, url_for(".file", token=links.token_of(one))) for one in _running(found)],
    )
    return page, 200 if refusal is None else _status(refusal)


def _running(found: Entitlement) -> list[Download]:
    """The newest started download of each file that may be resumed."""
    newest = {download.file_id: download for download in reversed(downloads.running(found))}
    return list(newest.values())


def _refused(refusal: DownloadRefused) -> ResponseReturnValue:
    return render_template("library/refused.html", refusal=refusal), _status(refusal)


def _status(refusal: DownloadRefused) -> int:
    return 403 if isinstance(refusal, Suspended) else 410


def _stream(found: ReleaseFile, path: Path) -> Response:
    """The file with ranges, sent by this process or by the server in front of it."""
    prefix = settings().download_accel_prefix
    response = send_file(
        path,
        mimetype=found.media_type if found.media_type in SHOWN_AS else "application/octet-stream",
        as_attachment=True,
        download_name=found.name.translate(MISLEADING),
        etag=found.sha256,
        conditional=prefix is None,
    )
    if prefix is not None:
        response.close()
        response.direct_passthrough = False
        response.set_data(b"")
        inside = path.relative_to(settings().storage_dir).as_posix()
        response.headers["X-Accel-Redirect"] = f"{prefix.rstrip('/')}/{inside}"
    return response
