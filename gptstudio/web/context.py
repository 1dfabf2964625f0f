"""What the page frame shows on every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """The member's workspace and the nonce; lazy parts are template tags."""
    return {
        "membership": getattr(request, "membership", None),
        "actor": getattr(request, "actor", None),
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "studio_version": settings.VERSION,
    }
