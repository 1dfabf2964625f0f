"""The invitation whose page a browser saw: it may sign up for it, and finds its way back to it afterwards."""

from __future__ import annotations

from django.http import HttpRequest

from gptstudio.accounts import selectors
from gptstudio.accounts.models import Invitation

KEPT = "invitation"


def keep(request: HttpRequest, token: str) -> None:
    """Remember the link in the session."""
    request.session[KEPT] = token


def forget(request: HttpRequest) -> None:
    """It is accepted."""
    request.session.pop(KEPT, None)


def at_hand(request: HttpRequest) -> Invitation | None:
    """What was kept, while it can be accepted."""
    token = request.session.get(KEPT)
    return selectors.open_invitation(token) if token else None
