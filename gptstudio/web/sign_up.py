"""The form that makes an account: where sign-up is closed, for the invited address alone."""

from __future__ import annotations

from allauth.account.forms import SignupForm
from allauth.core import context
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from gptstudio.web import invited


def check_invited(request: HttpRequest, email: str) -> None:
    """Raise ValidationError where sign-up is closed and another address, or none, was invited."""
    found = invited.at_hand(request)
    if not settings.SIGN_UP_OPEN and (found is None or found.email != email):
        raise ValidationError("Make the account with the address that was invited.")


class SignUpForm(SignupForm):  # type: ignore[misc]
    """allauth's, with that one rule."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        check_invited(context.request, email)
        return email
