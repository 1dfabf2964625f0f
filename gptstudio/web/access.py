"""Who may open a page: signed in, in a workspace, with a role that allows it. What is on the page is not its concern."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from gptstudio.accounts.models import Membership
from gptstudio.accounts.policies import Actor, require
from gptstudio.web import tabs


class MemberRequest(HttpRequest):
    """What a view behind `member_page` gets: the middleware has set both."""

    membership: Membership
    actor: Actor


SAFE = ("GET", "HEAD", "OPTIONS")
View = Callable[..., HttpResponseBase]


def _elsewhere(request: HttpRequest, address: str) -> HttpResponse:
    """Send the browser on; a part of a page that refreshes itself takes the whole page along."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def _page_of(request: HttpRequest) -> str:
    """The page that somebody was on: where to come back to after signing in. A part of a page, or the address of a form,
    is none by itself.
    """
    said = ""
    if request.headers.get("HX-Request"):
        said = request.headers.get("HX-Current-URL", "/")
    elif request.method not in ("GET", "HEAD"):
        said = request.headers.get("Referer", "/")
    if not said:
        return request.get_full_path()
    try:
        found = urlsplit(said)
    except ValueError:
        return "/"
    if found.netloc and found.netloc != request.get_host():
        return "/"
    return (found.path or "/") + (f"?{found.query}" if found.query else "")


def turned_away(request: HttpRequest, action: str) -> HttpResponse | None:
    """Where to send somebody who cannot open the page yet; None for those who can. Raises NotAllowed."""
    if not request.user.is_authenticated:
        response = redirect_to_login(_page_of(request))
        return _elsewhere(request, response["Location"])
    membership = getattr(request, "membership", None)
    if membership is None:
        return _elsewhere(request, reverse("web:workspace-new"))
    require(request.actor, action, workspace_id=membership.workspace_id)  # type: ignore[attr-defined]
    return None


def member_page(action: str, methods: Sequence[str] = ("GET", "HEAD"), *, to_post: str = "") -> Callable[[View], View]:
    """Let members in whose role allows `action`, or `to_post` where a form needs more than looking at it.

    The view is asked only for `methods`, and says in `actions` what each needs, as REST's views do.
    """
    actions = {method: to_post if to_post and method == "POST" else action for method in methods}

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            sent = request.method not in SAFE
            if sent and (stale := tabs.elsewhere(request)) is not None:
                return stale
            away = turned_away(request, actions.get(str(request.method), action))
            if away is not None:
                return away
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return view(request, *args, **kwargs)

        guarded.actions = actions  # type: ignore[attr-defined]
        return guarded

    return around


def signed_in_page(methods: Sequence[str] = ("GET", "HEAD")) -> Callable[[View], View]:
    """Let in whoever is signed in, also without a workspace."""

    def around(view: View) -> View:
        guarded = login_required(require_http_methods(list(methods))(view))
        guarded.actions = dict.fromkeys(methods, "")  # type: ignore[attr-defined]
        return guarded

    return around


FORM = ("GET", "HEAD", "POST")
ACT = ("POST",)
