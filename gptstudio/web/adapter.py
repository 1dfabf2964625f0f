"""What allauth asks us: whether sign-up is open."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class StudioAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is open or closed by SIGN_UP_OPEN."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGN_UP_OPEN)
