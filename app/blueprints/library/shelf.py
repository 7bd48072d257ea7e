"""A signed-in buyer's orders."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from app.blueprints import visitor
from app.blueprints.library.blueprint import bp
from app.services import links
from app.services import orders as all_orders


@bp.get("/account")
@login_required
def account() -> ResponseReturnValue:
    return redirect(url_for(".orders"), 303)


@bp.get("/account/orders")
@login_required
def orders() -> ResponseReturnValue:
    user = visitor.signed_in()
    mine = all_orders.of_user(user) if user else []
    return render_template("library/orders.html", orders=mine, token_of=links.token_of)
