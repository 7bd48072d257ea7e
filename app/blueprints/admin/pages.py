"""What needs attention, the latest orders, and one order with its history."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from app.blueprints.admin.blueprint import bp
from app.models.lifecycle import IllegalMove
from app.services import backoffice, verdicts

WHY = "Say in a few words why."


class AcceptForm(FlaskForm):
    reason = StringField("Reason", [InputRequired(WHY), Length(min=3, max=500, message=WHY)])


@bp.get("/")
def overview() -> ResponseReturnValue:
    return render_template(
        "admin/overview.html",
        attention=backoffice.attention(),
        page=backoffice.latest_orders(request.args.get("page", 1, type=int)),
        page_url=lambda number: url_for(".overview", page=number),
    )


@bp.get("/orders/<number>")
def order(number: str) -> ResponseReturnValue:
    return _page(number, AcceptForm())


@bp.post("/orders/<number>/payments/<int:payment_id>/accept")
def accept(number: str, payment_id: int) -> ResponseReturnValue:
    form = AcceptForm()
    payment = backoffice.acceptable(backoffice.order(number), payment_id)
    if not form.validate():
        return _page(number, form, deciding=payment_id), 422
    try:
        verdicts.accept(payment.id, who=current_user.email, why=form.reason.data or "")
    except IllegalMove:
        flash("Somebody else was faster: look at the payment again.", "warning")
    else:
        flash("The payment is accepted.", "success")
    return redirect(url_for(".order", number=number), 303)


def _page(number: str, form: AcceptForm, *, deciding: int | None = None) -> str:
    """The order; `deciding` is the payment whose form is shown again."""
    order = backoffice.order(number)
    return render_template(
        "admin/order.html",
        order=order,
        letters=backoffice.letters(order),
        form=form,
        deciding=deciding,
        acceptable=backoffice.ACCEPTABLE,
    )
