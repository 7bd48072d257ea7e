"""What a buyer fills in."""

from __future__ import annotations

import secrets

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, StringField, ValidationError

from app.money import Money, usd
from app.services import accounts, email_hints
from app.services.accounts import BadEmail


class OrderForm(FlaskForm):
    """What an order needs beside the cart: made anew for each rendering, so that it counts once."""

    key = HiddenField(default=lambda: secrets.token_urlsafe(16))
    total = HiddenField()

    suggestion: str | None = None  # what was probably meant, to be asked before ordering

    @property
    def shown_total(self) -> Money:
        """The total this form showed; one that no cart has when it was tampered with."""
        text = self.total.data or ""
        return usd(int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1)


class GuestForm(OrderForm):
    """The same for a guest, whose e-mail is all that is asked."""

    email = EmailField("E-mail")
    hinted = HiddenField()  # the address that a hint was shown for
    take = HiddenField()  # the button of the hint that was pressed, if it was

    def validate_email(self, field: EmailField) -> None:
        """Keep the address in its one spelling, or say what is wrong; ask once about a slip."""
        typed = field.data or ""
        try:
            address = accounts.normalise_email(typed)
        except BadEmail as error:
            raise ValidationError(str(error)) from error
        suggestion = email_hints.suggestion(address)
        if suggestion and self.take.data == suggestion:
            address = suggestion
        elif suggestion and self.hinted.data != typed:
            self.suggestion = suggestion
            return
        field.data = address


class ProofForm(FlaskForm):
    transaction_id = StringField("Transaction ID (TXID)")
