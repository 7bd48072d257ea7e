"""The blueprint, for the modules that hang their pages on it."""

from flask import Blueprint

bp = Blueprint("library", __name__)
