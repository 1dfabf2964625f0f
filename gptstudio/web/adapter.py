"""What allauth asks us: whether sign-up is open and to whom, and where to go after signing in."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from gptstudio.web import invited


class StudioAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is open or closed by SIGN_UP_OPEN; who is invited may sign up at any rate, with that address."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGN_UP_OPEN) or invited.at_hand(request) is not None

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return _back(request) or str(super().get_login_redirect_url(request))

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return _back(request) or str(super().get_signup_redirect_url(request))


def _back(request: HttpRequest) -> str | None:
    """The page of the invitation that led here."""
    found = invited.at_hand(request)
    return reverse("web:invitation", args=[found.token]) if found else None
