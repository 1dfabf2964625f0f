"""What allauth asks us: whether sign-up is open and to whom, and where to go after signing in."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.http import HttpRequest
from django.urls import reverse

from gptstudio.accounts import services
from gptstudio.core import sealing
from gptstudio.web import invited


class StudioAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is open or closed by SIGN_UP_OPEN; who is invited may sign up at any rate, with that address."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": "Too many sign-ins failed. Wait five minutes, then try again. Who knows the password no more "
        "can reset it.",
        "rate_limited": "That was too often. Wait a minute, then try again.",
        "email_password_mismatch": "This address and this password do not belong together.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGN_UP_OPEN) or invited.at_hand(request) is not None

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return _back(request) or str(super().get_login_redirect_url(request))

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return _back(request) or str(super().get_signup_redirect_url(request))

    def get_client_ip(self, request: HttpRequest) -> str:
        """Where a request comes from. X-Forwarded-For counts as far as TRUSTED_PROXIES wrote it; a shorter or odd one tells that
        the request came past them.
        """
        try:
            return str(super().get_client_ip(request))
        except (ImproperlyConfigured, PermissionDenied):
            return str(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104 - an address to count by, not to bind

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            services.tell_of_lock(request, email=str(credentials.get("email", "")))
            raise


class StudioMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Our words; secrets lie sealed in the database."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This is not the right code. The app shows a new one every half minute, and each opens once.",
        "unverified_email": "Verify your e-mail address first: a second factor on an address of somebody else locks them out.",
    }

    def encrypt(self, text: str) -> str:
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(encrypted_text)


class StudioSessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    """Ends sessions, and says so."""

    def end_sessions(self, sessions: Any) -> None:
        super().end_sessions(sessions)
        user = context.request.user
        if sessions and user.is_authenticated:
            services.tell(context.request, "account.sessions_ended", user=user, by=user, sessions=len(sessions))


def _back(request: HttpRequest) -> str | None:
    """The page of the invitation that led here."""
    found = invited.at_hand(request)
    return reverse("web:invitation", args=[found.token]) if found else None
