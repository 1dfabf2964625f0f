"""Tabs that were left open in one workspace while their owner went on to another.

Every form, and every request of a script, says of which workspace its page was. Where that is another one than the one that
is worked in now, nothing is done; the page that says so can send all of it again, where it was meant.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from gptstudio.accounts import selectors
from gptstudio.core.errors import Conflict
from gptstudio.web.middleware import attach_workspace

FIELD, HEADER, AGREED = "of_workspace", "X-Workspace", "go_on_in"
OWN = (FIELD, AGREED, "csrfmiddlewaretoken")


def _said(request: HttpRequest) -> str:
    """Of which workspace the sending page was. A header first: a body that scripts send may be a file."""
    return request.headers.get(HEADER) or request.POST.get(FIELD, "")


def _is_elsewhere(request: Any, said: str) -> bool:
    membership = getattr(request, "membership", None)
    return bool(said) and membership is not None and membership.workspace_id != said


def _refusal(where: str, now: str) -> Conflict:
    return Conflict(
        f"That page was of {where}, and you work in {now} now.",
        fix="Nothing was done. Switch back, then send it again.",
        code="other_workspace",
    )


def check(request: HttpRequest) -> None:
    """Raise Conflict for what a script sent from a page of another workspace. Asks the database nothing."""
    if _is_elsewhere(request, request.headers.get(HEADER, "")):
        raise _refusal("another workspace", request.membership.workspace.name)  # type: ignore[attr-defined]


def elsewhere(request: Any) -> HttpResponse | None:
    """What to answer to something from a page of another workspace; None: it is of this one, or its sender has agreed to go
    back there with it.
    """
    said = _said(request)
    if not _is_elsewhere(request, said):
        return None
    there = next((each for each in selectors.memberships_of(request.user) if each.workspace_id == said), None)
    if there is not None and request.POST.get(AGREED) == said:
        request.session["workspace"] = said
        attach_workspace(request)
        return None
    error = _refusal(there.workspace.name if there else "a workspace that you left", request.membership.workspace.name)
    if request.headers.get(HEADER):
        return JsonResponse({"message": error.message, "error": str(error), "code": error.code}, status=error.status)
    sent = [(name, value) for name, values in request.POST.lists() if name not in OWN for value in values]
    context = {"error": error, "there": there, "sent": sent, "has_files": bool(request.FILES)}
    return render(request, "web/other_workspace.html", context, status=error.status)
