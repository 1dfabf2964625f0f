"""The form that makes an account: where sign-up is closed, for the invited address alone."""

from __future__ import annotations

from allauth.account.forms import SignupForm
from allauth.core import context
from django.conf import settings
from django.core.exceptions import ValidationError

from gptstudio.web import invited


class SignUpForm(SignupForm):  # type: ignore[misc]
    """allauth's, with that one rule."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        found = invited.at_hand(context.request)
        if not settings.SIGN_UP_OPEN and (found is None or found.email != email):
            raise ValidationError("Make the account with the address that was invited.")
        return email
