"""Who is asking."""

from __future__ import annotations

from flask_login import current_user

from app.extensions import db
from app.models import User


def signed_in() -> User | None:
    """The account this visitor is signed in to."""
    return db.session.get(User, current_user.id) if current_user.is_authenticated else None
