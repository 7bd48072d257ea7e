"""What is asked of somebody who signs in or makes an account."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, ValidationError

from app.services import accounts
from app.services.accounts import BadEmail, WeakPassword


class SignInForm(FlaskForm):
    email = EmailField("E-mail")
    password = PasswordField("Password")
    next = HiddenField()


class RegisterForm(SignInForm):
    """The same fields, with what an account needs checked beside each."""

    def validate_email(self, field: EmailField) -> None:
        try:
            accounts.normalise_email(field.data or "")
        except BadEmail as error:
            raise ValidationError(str(error)) from error

    def validate_password(self, field: PasswordField) -> None:
        try:
            accounts.check_password(field.data or "")
        except WeakPassword as error:
            raise ValidationError(str(error)) from error
