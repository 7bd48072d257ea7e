"""What everybody may see: the catalogue, its products and their pictures."""

from app.blueprints.catalog.views import bp

__all__ = ["bp"]
