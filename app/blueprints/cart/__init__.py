"""What a visitor gathers before ordering."""

from app.blueprints.cart.views import bp

__all__ = ["bp"]
