"""The back office."""

from app.blueprints.admin import gate, pages
from app.blueprints.admin.blueprint import bp

__all__ = ["bp", "gate", "pages"]
