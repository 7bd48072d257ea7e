"""What a buyer owns: orders and downloads."""

from app.blueprints.library import downloads, shelf
from app.blueprints.library.blueprint import bp

__all__ = ["bp", "downloads", "shelf"]
