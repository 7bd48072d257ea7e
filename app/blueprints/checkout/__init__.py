"""From a cart to a paid order."""

from app.blueprints.checkout import order_page, paying, placing, proof
from app.blueprints.checkout.blueprint import bp

__all__ = ["bp", "order_page", "paying", "placing", "proof"]
