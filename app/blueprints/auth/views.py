"""Signing in, signing out, making an account."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from app.blueprints import limits, visitor
from app.blueprints.auth.forms import RegisterForm, SignInForm
from app.blueprints.auth.returning import safe_path
from app.blueprints.cart import keeping
from app.extensions import db, limiter, login_manager
from app.models import User
from app.services import accounts
from app.services.accounts import EmailTaken, WrongCredentials
from app.services.links import BelongsToAccount

bp = Blueprint("auth", __name__)

login_manager.login_view = "auth.login"
login_manager.login_message = "Please sign in to see this page."
login_manager.login_message_category = "info"

KEPT = (keeping.CART, keeping.CART_ID)  # what a visitor brings along when signing in
WRONG = "This e-mail and this password do not belong together."
# The same whether the address was new or not: nobody learns from it who has an account.
WELCOME = (
    "Please sign in with your new password."
    " If there was an account with this e-mail already, it keeps the password it has."
)


@bp.route("/login", methods=["GET", "POST"])
@limiter.limit(limits.SIGN_INS_OF_ALL, key_func=limits.by_nobody, methods=["POST"])
@limiter.limit(limits.SIGN_INS, methods=["POST"], deduct_when=limits.failed)
@limiter.limit(
    limits.SIGN_INS, key_func=limits.by_account, methods=["POST"], deduct_when=limits.failed
)
def login() -> ResponseReturnValue:
    form = SignInForm(next=request.args.get("next"))
    if not form.is_submitted():
        return redirect(_next(form), 303) if current_user.is_authenticated else _page(form)
    try:
        user = accounts.authenticate(form.email.data or "", form.password.data or "")
    except WrongCredentials:
        return _page(form, error=WRONG), 422
    _enter(user)
    db.session.commit()
    return redirect(_next(form), 303)


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    if (user := visitor.signed_in()) is not None:
        accounts.sign_out(user)
        db.session.commit()
    logout_user()
    session.clear()
    return redirect("/", 303)


@bp.route("/register", methods=["GET", "POST"])
@limiter.limit(limits.SIGN_INS_OF_ALL, key_func=limits.by_nobody, methods=["POST"])
@limiter.limit(limits.REGISTRATIONS, methods=["POST"])
@limiter.limit(limits.REGISTRATIONS, key_func=limits.by_account, methods=["POST"])
def register() -> ResponseReturnValue:
    form = RegisterForm(next=request.args.get("next"))
    if not form.is_submitted():
        return render_template("auth/register.html", form=form)
    if not form.validate():
        return render_template("auth/register.html", form=form), 422
    with suppress(EmailTaken):
        accounts.register(form.email.data or "", form.password.data or "")
        db.session.commit()
    flash(WELCOME, "info")
    return redirect(url_for(".login", next=_next(form)), 303)


@bp.app_errorhandler(BelongsToAccount)
def ask_to_sign_in(_error: BelongsToAccount) -> ResponseReturnValue:
    """The link is good, but it opens for its account only."""
    flash("This link belongs to an account: please sign in to it.", "info")
    back = request.path if request.method == "GET" else None
    return redirect(url_for("auth.login", next=back), 303)


def _enter(user: User) -> None:
    """A session of its own for this sign-in, with nothing from before but the cart."""
    kept = {name: session[name] for name in KEPT if name in session}
    session.clear()
    session.update(kept)
    session.permanent = True
    login_user(accounts.sign_in(user))


def _next(form: SignInForm) -> str:
    return safe_path(form.next.data, default=url_for("library.orders"))


def _page(form: SignInForm, *, error: str | None = None) -> str:
    return render_template("auth/login.html", form=form, error=error)
