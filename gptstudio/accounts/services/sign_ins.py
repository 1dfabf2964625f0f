"""What people do with their own accounts, in the log: of every workspace where they are members, else of the studio.

Lines hold an act, from which network address it was done, and by what means. No password, code, token or typed text but
the e-mail address that was tried.
"""

from __future__ import annotations

import hashlib
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest

from gptstudio.accounts import selectors
from gptstudio.accounts.models import User
from gptstudio.accounts.policies import Actor
from gptstudio.audit.services import record
from gptstudio.core.errors import NotFound

LOCKED_SECONDS = 300  # one line tells of all that is refused in so long


@transaction.atomic
def tell(request: HttpRequest | None, action: str, *, user: User, by: User | None = None, **data: Any) -> None:
    """Write that `by`, or somebody who showed nothing, did this with the account of `user`."""
    # In one order, for two lines at once hold each other's chain.
    places: list[str | None] = [*sorted(each.workspace_id for each in selectors.memberships_of(user))]
    data |= {"from": get_adapter().get_client_ip(request)} if request else {}
    for workspace_id in places or [None]:
        record(
            _actor(by, workspace_id or ""),
            workspace_id=workspace_id,
            action=action,
            subject_kind="user",
            subject_id=user.id,
            subject_label=user.email,
            data=data,
        )


def _actor(by: User | None, workspace_id: str) -> Actor:
    if by is None:
        return Actor(kind="anonymous", id="", label="Somebody", workspace_id=workspace_id)
    return Actor(kind="user", id=by.id, label=by.email, workspace_id=workspace_id, user_id=by.id)


def tell_of_failure(request: HttpRequest | None, action: str, *, email: str) -> None:
    """Write that somebody did not get into the account with this address; there may be none."""
    user = selectors.user_by_email(email)
    if user is not None:
        tell(request, action, user=user)
        return
    record(
        _actor(None, ""),
        workspace_id=None,
        action=action,
        subject_kind="address",
        subject_id="",
        subject_label=email,
        data={"from": get_adapter().get_client_ip(request)} if request else {},
    )


def tell_of_lock(request: HttpRequest, *, email: str) -> None:
    """Write that an address is held off, once for as long as it lasts."""
    whose = hashlib.sha256(email.lower().encode("utf-8", "backslashreplace")).hexdigest()
    if cache.add(f"studio:locked:{whose}", True, LOCKED_SECONDS):
        tell_of_failure(request, "account.locked", email=email)


def means_of(request: HttpRequest, user: User) -> list[str]:
    """By what somebody signed in now: `password`, `mfa`, the id of a provider; `link` where nothing was shown."""
    shown = get_authentication_records(request, user)
    return [str(each.get("provider") or each["method"]) for each in shown] or ["link"]


@transaction.atomic
def end_session(request: HttpRequest, *, user: User, session_id: int) -> None:
    """Sign one of one's own browsers out. Raises NotFound for anybody else's."""
    found = UserSession.objects.filter(user=user, id=session_id).first()
    if found is None:
        raise NotFound("There is no such session of yours.", fix="It may have ended by itself.")
    found.end()
    tell(request, "account.session_ended", user=user, by=user)
