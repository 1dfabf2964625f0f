"""What every page request passes: its number, the content security policy, the current workspace, the
reader's clock, sentences for errors.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from gptstudio.accounts import selectors
from gptstudio.accounts.models import Membership
from gptstudio.core.errors import Invalid, StudioError
from gptstudio.core.ids import mint
from gptstudio.core.logging import request_id
from gptstudio.core.zones import zone_named

Answer = Callable[[HttpRequest], Any]
API_PREFIXES = ("/v1/", "/api/")
ZONE_COOKIE = "studio-zone"


def _policy(path: str, nonce: str) -> str:
    """Unfold's Alpine evaluates expressions, so the console alone allows `unsafe-eval` (docs/adr/0005)."""
    scripts = "'self' 'unsafe-inline' 'unsafe-eval'" if path.startswith("/admin/") else f"'self' 'nonce-{nonce}'"
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )


@sync_and_async_middleware
def numbered(get_response: Answer) -> Callable[..., Any]:
    """Give each request an id, which stands in its answer (`x-request-id`) and in every line of the log about it."""

    def before() -> str:
        made = mint("req_")
        request_id.set(made)
        return made

    def after(response: HttpResponse, made: str) -> HttpResponse:
        response.headers.setdefault("x-request-id", made)
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> HttpResponse:
            made = before()
            return after(await get_response(request), made)

        return middleware

    def sync_middleware(request: HttpRequest) -> HttpResponse:
        made = before()
        return after(get_response(request), made)

    return sync_middleware


@sync_and_async_middleware
def content_security_policy(get_response: Answer) -> Callable[..., Any]:
    """Send the policy; templates read the nonce from `request.csp_nonce`."""

    def before(request: HttpRequest) -> str:
        request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        return str(request.csp_nonce)  # type: ignore[attr-defined]

    def after(request: HttpRequest, response: HttpResponse, nonce: str) -> HttpResponse:
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page or not request.path.startswith(API_PREFIXES):
            response.headers.setdefault("Content-Security-Policy", _policy(request.path, nonce))
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> HttpResponse:
            nonce = before(request)
            return after(request, await get_response(request), nonce)

        return middleware

    def sync_middleware(request: HttpRequest) -> HttpResponse:
        nonce = before(request)
        return after(request, get_response(request), nonce)

    return sync_middleware


def _membership(request: HttpRequest) -> Membership | None:
    if not request.user.is_authenticated:
        return None
    return selectors.membership(request.user, request.session.get("workspace"))


def attach_workspace(request: HttpRequest) -> None:
    """Set `request.membership` and `request.actor` for a signed-in member; None for everybody else."""
    membership = _membership(request)
    request.membership = membership  # type: ignore[attr-defined]
    request.actor = selectors.actor_of_member(membership) if membership else None  # type: ignore[attr-defined]


@sync_and_async_middleware
def current_workspace(get_response: Answer) -> Callable[..., Any]:
    """Pages work in one workspace: the one chosen in the session. API requests bring their own with the key."""
    if iscoroutinefunction(get_response):
        from asgiref.sync import sync_to_async

        async def middleware(request: HttpRequest) -> Awaitable[HttpResponse] | HttpResponse:
            if not request.path.startswith(API_PREFIXES):
                await sync_to_async(attach_workspace)(request)
            response: HttpResponse = await get_response(request)
            return response

        return middleware

    def sync_middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(API_PREFIXES):
            attach_workspace(request)
        response: HttpResponse = get_response(request)
        return response

    return sync_middleware


def _zone(request: HttpRequest) -> ZoneInfo | None:
    """Where the person says that they are, else where their browser does (`theme.js`); None: nobody knows."""
    said = getattr(request.user, "time_zone", "") or request.COOKIES.get(ZONE_COOKIE, "")
    return zone_named(unquote(said))


@sync_and_async_middleware
def times_of_the_reader(get_response: Answer) -> Callable[..., Any]:
    """Pages tell times by the reader's clock, else by the studio's. Programs are told UTC."""
    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> HttpResponse:
            if request.path.startswith(API_PREFIXES):
                return cast(HttpResponse, await get_response(request))
            with timezone.override(_zone(request)):
                return cast(HttpResponse, await get_response(request))

        return middleware

    def sync_middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(API_PREFIXES):
            return cast(HttpResponse, get_response(request))
        with timezone.override(_zone(request)):
            return cast(HttpResponse, get_response(request))

    return sync_middleware


class sentences_for_errors:  # noqa: N801 - a middleware reads like a function in the settings
    """A StudioError on a page becomes a page with its sentence, not a traceback."""

    async_capable = True
    sync_capable = True

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            from asgiref.sync import markcoroutinefunction

            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_arguments: Any) -> HttpResponse | None:
        """Nobody types a NUL, and PostgreSQL keeps none: such a form or address goes no further."""
        if request.path.startswith(API_PREFIXES) or getattr(view, "csrf_exempt", False):
            return None  # programs; of all else the check of the CSRF token has read the form already
        sent = [*request.GET.lists(), *request.POST.lists()]
        if not any("\0" in value for _name, values in sent for value in values):
            return None
        fix = "Type the text anew instead of pasting it."
        return self.process_exception(request, Invalid("A text that was sent has a NUL character in it.", fix=fix))

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, StudioError) or request.path.startswith(API_PREFIXES):
            return None
        return render(request, "web/error.html", {"error": error}, status=error.status)
