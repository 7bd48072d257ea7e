"""Admins only: for anybody else there is no such page.

The gate stands before everything else that would answer, the check of the form's token and the
list of allowed methods included, so that no answer tells which addresses exist. It goes by the
path rather than by the page, so that a new page is behind it without anybody's doing.
"""

from __future__ import annotations

from typing import Any

from flask import abort, request

from app.blueprints import visitor
from app.blueprints.admin.blueprint import bp


@bp.app_url_value_preprocessor
def admins_only(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Answer 404 under /admin, unless the database says now that this visitor is an admin."""
    if request.path == bp.url_prefix or request.path.startswith(f"{bp.url_prefix}/"):
        user = visitor.signed_in()
        if user is None or not user.is_admin:
            abort(404)
