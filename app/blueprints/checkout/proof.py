"""A buyer who has paid says under which transaction id."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.blueprints import limits, visitor
from app.blueprints.checkout import standing
from app.blueprints.checkout.blueprint import bp
from app.blueprints.checkout.forms import ProofForm
from app.extensions import limiter
from app.payments.base import InvalidProof, ProviderUnavailable, UnknownProof
from app.services import offers, orders, payments

LATER = (
    "Thank you. Nobody on the network has told us about this transaction yet. "
    "We keep looking and will take note as soon as it shows."
)


@bp.route("/orders/<token>/proof", methods=["GET", "POST"])
@limiter.limit(limits.PROOFS, key_func=limits.by_link, methods=["POST"])
def proof(token: str) -> ResponseReturnValue:
    order_page, form = url_for(".order", token=token), ProofForm()
    payment = standing.of(orders.open_by_token(token, user=visitor.signed_in())).payment
    if payment is None or not offers.takes_proof(payment.provider):
        return redirect(order_page, 303)
    status = 200
    if form.is_submitted():
        try:
            payments.submit(payment.id, form.transaction_id.data or "")
        except InvalidProof as error:
            form.transaction_id.errors = [str(error)]
            status = 422
        except (UnknownProof, ProviderUnavailable):
            flash(LATER, "info")
            return redirect(order_page, 303)
        else:
            return redirect(order_page, 303)
    order = orders.open_by_token(token, user=visitor.signed_in())  # `submit` ended what was read
    return render_template("checkout/proof.html", form=form, order=order, token=token), status
