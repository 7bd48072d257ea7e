"""The blueprint, for the modules that hang their pages on it."""

from flask import Blueprint

bp = Blueprint("admin", __name__, url_prefix="/admin")
