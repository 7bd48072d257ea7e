"""People who have an account, and where they are signed in."""

from __future__ import annotations

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base


class User(UserMixin, Base):
    """An account. `email` is lower case; it proves nothing until `email_verified_at` is set."""

    __tablename__ = "users"
    __allow_unmapped__ = True  # for login_secret

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    is_admin: Mapped[bool] = mapped_column(default=False)
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    login_sessions: Mapped[list[LoginSession]] = relationship(
        back_populates="user", cascade="all, delete-orphan"
    )

    login_secret: str | None = None  # of the session this request came with; never stored

    def get_id(self) -> str:
        """What the session cookie holds: the secret of one sign-in, which can be revoked alone."""
        if self.login_secret is None:
            raise RuntimeError("this user was not signed in through accounts.sign_in")
        return self.login_secret


class LoginSession(Base):
    """One sign-in on one device. Deleting the row ends it, whoever has a copy of the cookie."""

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)

    user: Mapped[User] = relationship(back_populates="login_sessions")
