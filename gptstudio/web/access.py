"""Who may open a page: signed in, in a workspace, with a role that allows it. What is on the page is not its concern."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from gptstudio.accounts.models import Membership
from gptstudio.accounts.policies import Actor, require


class MemberRequest(HttpRequest):
    """What a view behind `member_page` gets: the middleware has set both."""

    membership: Membership
    actor: Actor


View = Callable[..., HttpResponseBase]


def _elsewhere(request: HttpRequest, address: str) -> HttpResponse:
    """Send the browser on; a part of a page that refreshes itself takes the whole page along."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def turned_away(request: HttpRequest, action: str) -> HttpResponse | None:
    """Where to send somebody who cannot open the page yet; None for those who can. Raises NotAllowed."""
    if not request.user.is_authenticated:
        response = redirect_to_login(request.get_full_path())
        return _elsewhere(request, response["Location"])
    membership = getattr(request, "membership", None)
    if membership is None:
        return _elsewhere(request, reverse("web:workspace-new"))
    require(request.actor, action, workspace_id=membership.workspace_id)  # type: ignore[attr-defined]
    return None


def member_page(action: str, methods: Sequence[str] = ("GET", "HEAD")) -> Callable[[View], View]:
    """Let members in whose role allows `action`; the view is asked only for `methods`."""

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            away = turned_away(request, action)
            if away is not None:
                return away
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return view(request, *args, **kwargs)

        return guarded

    return around


FORM = ("GET", "HEAD", "POST")
ACT = ("POST",)
