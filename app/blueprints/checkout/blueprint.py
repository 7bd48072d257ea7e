"""The blueprint, for the modules that hang their pages on it."""

from flask import Blueprint

from app.blueprints.checkout.drawing import qr

bp = Blueprint("checkout", __name__)
bp.add_app_template_filter(qr)
