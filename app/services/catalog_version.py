"""Every change of what visitors see raises the catalogue's version, in the same transaction.

Only changes through the session are noticed; a bulk statement must call `raise_version` itself.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, insert, select, update
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import CatalogVersion, Picture, Product, Release, ReleaseFile, Tag

SHOWN = (Product, Picture, Tag, Release, ReleaseFile)
RAISED = "catalog_version_raised"


_current = select(CatalogVersion.value).where(CatalogVersion.id == 1)


def current() -> int:
    """The number that kept pages are stamped with."""
    with db.engine.connect() as connection:  # a third of what the session takes for it
        return connection.scalar(_current) or 0


def raise_version(session: Session) -> None:
    """Make every kept page stale when this transaction commits."""
    raised = session.connection().execute(
        update(CatalogVersion)
        .where(CatalogVersion.id == 1)
        .values(value=CatalogVersion.value + 1)
        .returning(CatalogVersion.id)
    )
    if raised.first() is None:
        session.connection().execute(insert(CatalogVersion).values(id=1, value=1))


@event.listens_for(db.session, "after_flush")
def _notice(session: Session, _context: Any) -> None:
    if session.info.get(RAISED):
        return
    changed = (*session.new, *session.deleted, *filter(session.is_modified, session.dirty))
    if any(isinstance(thing, SHOWN) for thing in changed):
        session.info[RAISED] = True
        raise_version(session)


@event.listens_for(db.session, "after_transaction_end")
def _forget(session: Session, _transaction: Any) -> None:
    session.info.pop(RAISED, None)
