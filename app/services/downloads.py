"""Downloads: looking counts nothing, starting counts one, resuming counts none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload, selectinload

from app import clock, tokens
from app.extensions import db
from app.models import (
    Download,
    Entitlement,
    EntitlementStatus,
    Order,
    Product,
    Release,
    ReleaseFile,
    User,
)
from app.services.links import BelongsToAccount, give_token
from app.wiring import wiring

RESUME_FOR = timedelta(hours=1)  # how long a started download may be resumed or repeated freely


class NoSuchEntitlement(Exception):
    """No download opens with this link, or not for this visitor."""


class DownloadRefused(Exception):
    """The entitlement gives nothing now; the text says why, in the buyer's words."""


class UsedUp(DownloadRefused):
    pass


class LinkExpired(DownloadRefused):
    pass


class Suspended(DownloadRefused):
    pass


class Revoked(DownloadRefused):
    pass


def open_by_token(token: str, *, user: User | None) -> Entitlement:
    """The entitlement behind a link. NoSuchEntitlement; BelongsToAccount asks for a sign-in."""
    entitlement = db.session.scalar(
        select(Entitlement)
        .where(Entitlement.token_hash == tokens.digest(token))
        .options(
            joinedload(Entitlement.order),
            joinedload(Entitlement.item),
            joinedload(Entitlement.product),
        )
    )
    if entitlement is None:
        raise NoSuchEntitlement
    _check_owner(entitlement.order, user)
    return entitlement


def _check_owner(order: Order, user: User | None) -> None:
    if order.user_id is None or (user is not None and user.id == order.user_id):
        return
    if user is None:
        raise BelongsToAccount
    raise NoSuchEntitlement


def refusal(entitlement: Entitlement) -> DownloadRefused | None:
    """Why nothing can be downloaded now, if so."""
    if entitlement.status is EntitlementStatus.REVOKED:
        return Revoked("This purchase was refunded, so its download is closed.")
    if entitlement.status is EntitlementStatus.SUSPENDED:
        return Suspended(
            "The payment is being looked at, so the download is closed for the moment."
        )
    if entitlement.expires_at <= clock.now():
        return LinkExpired("This link has expired.")
    if entitlement.downloads_left <= 0:
        return UsedUp(f"All {entitlement.download_limit} downloads have been used.")
    return None


def files(product: Product) -> Sequence[ReleaseFile]:
    """The files of the product's newest release."""
    newest = (
        select(Release.id)
        .where(Release.product_id == product.id)
        .order_by(Release.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return db.session.scalars(
        select(ReleaseFile)
        .where(ReleaseFile.release_id == newest)
        .order_by(ReleaseFile.id)
        .options(joinedload(ReleaseFile.release))
    ).all()


def start(entitlement: Entitlement, file_id: int) -> Download:
    """Count one download of one file.

    DownloadRefused, NoSuchEntitlement or FileMissing count nothing.
    """
    file = next((file for file in files(entitlement.product) if file.id == file_id), None)
    if file is None:
        raise NoSuchEntitlement
    wiring().files.path(file.sha256)
    now = clock.now()
    counted = db.session.scalar(
        update(Entitlement)
        .where(
            Entitlement.id == entitlement.id,
            Entitlement.status == EntitlementStatus.ACTIVE,
            Entitlement.expires_at > now,
            Entitlement.downloads_used < Entitlement.download_limit,
        )
        .values(downloads_used=Entitlement.downloads_used + 1)
        .returning(Entitlement.id)
        .execution_options(synchronize_session=False)
    )
    if counted is None:
        db.session.refresh(entitlement)
        raise refusal(entitlement) or UsedUp("No downloads are left.")
    download = Download(
        entitlement=entitlement, file=file, started_at=now, expires_at=now + RESUME_FOR
    )
    give_token(download)
    db.session.add(download)
    return download


def running(entitlement: Entitlement) -> Sequence[Download]:
    """Downloads that may still be resumed without counting again, newest first."""
    return db.session.scalars(
        select(Download)
        .where(Download.entitlement_id == entitlement.id, Download.expires_at > clock.now())
        .order_by(Download.id.desc())
        .options(selectinload(Download.file))
    ).all()


def resume(token: str, *, user: User | None) -> tuple[ReleaseFile, Path]:
    """The file of a started download; as often as wanted while its hour lasts.

    NoSuchEntitlement, BelongsToAccount, DownloadRefused when it was closed meanwhile, FileMissing.
    """
    download = db.session.scalar(
        select(Download)
        .where(Download.token_hash == tokens.digest(token))
        .options(
            joinedload(Download.file),
            joinedload(Download.entitlement).joinedload(Entitlement.order),
        )
    )
    if download is None:
        raise NoSuchEntitlement
    _check_owner(download.entitlement.order, user)
    if download.expires_at <= clock.now():
        raise LinkExpired("This download link was good for an hour.")
    closed = refusal(download.entitlement)
    if isinstance(closed, Suspended | Revoked):
        raise closed
    return download.file, wiring().files.path(download.file.sha256)
