"""Accounts: made, entered and left."""

from app.blueprints.auth.views import bp

__all__ = ["bp"]
