"""What may be sent to which address, how much of it and by whom, asked before anything of it is kept.

Beneath /v1 and /api/ a body needs a caller who shows something; where whole files are taken, what is shown must open
the studio. Refusals have the shape that each face speaks. What is in a body is the views' business.
"""

from __future__ import annotations

import io
from functools import lru_cache
from importlib import import_module
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.renderers import JSONRenderer

from gptstudio.accounts.selectors import live_key
from gptstudio.api import errors as native
from gptstudio.api.authentication import BAD_KEY, bearer
from gptstudio.core.bodies import Scope
from gptstudio.core.errors import NotAllowed, StudioError, Unavailable
from gptstudio.core.ids import mint
from gptstudio.web.middleware import content_security_policy
from serving_app.openai import errors as openai

FORM_BYTES = 1 << 20  # the form around a file
OPENAI, NATIVE = "/v1/", "/api/"


class StudioBodies:
    """The rules of the body gate."""

    def most_bytes(self, scope: Scope) -> int:
        """UPLOAD_MAX_BYTES and its form where files are taken, else what Django holds in memory."""
        if _takes_uploads(scope["path"]):
            return int(settings.UPLOAD_MAX_BYTES) + FORM_BYTES
        return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

    async def turned_away(self, scope: Scope) -> Exception | None:
        """A program without a key, or whoever sends a file with nothing that opens the studio."""
        path, takes_uploads = scope["path"], _takes_uploads(scope["path"])
        is_program = path.startswith((OPENAI, NATIVE))
        secret = bearer(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
        if secret and is_program and not takes_uploads:  # the path of every request
            return None
        request = _request(scope)
        session = "" if path.startswith(OPENAI) else request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        if is_program and not secret and not session:
            return NotAuthenticated()
        if not takes_uploads:
            return None
        try:
            async with ThreadSensitiveContext():
                is_known = await sync_to_async(_is_known)(request, secret if is_program else None, session)
        except DatabaseError:
            return Unavailable("The studio's database is busy.", fix="Try again.")
        if is_known:
            return None
        if is_program:
            return AuthenticationFailed(BAD_KEY, code="invalid_api_key")
        return NotAllowed("You are not signed in, so nothing was kept.", fix="Sign in, then send the file again.")

    def refusal(self, scope: Scope, error: Exception) -> HttpResponse:
        """OpenAI's envelope, RFC 9457, a page, or its sentence for the uploading script."""
        request = _request(scope)
        if scope["path"].startswith(OPENAI):
            response: Any = openai.answer(error)
            response["x-request-id"] = mint("req_")
            return response
        if scope["path"].startswith(NATIVE):
            return _rendered(native.answer(error, {}))
        assert isinstance(error, StudioError)  # noqa: S101 - pages are refused by sentences of ours
        if request.headers.get("X-Requested-With") == "XMLHttpRequest":
            return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
        request.user = AnonymousUser()
        page = content_security_policy(lambda asked: render(asked, "web/error.html", {"error": error}))
        response = page(request)
        response.status_code = error.status
        return response


def _request(scope: Scope) -> ASGIRequest:
    return ASGIRequest(scope, io.BytesIO())


@lru_cache(maxsize=1_000)
def _takes_uploads(path: str) -> bool:
    try:
        view = resolve(path).func
    except Resolver404:
        return False
    return bool(getattr(getattr(view, "cls", view), "takes_uploads", False))


def _is_known(request: ASGIRequest, secret: str | None, session: str) -> bool:
    """Whether a key is live or a session somebody's."""
    try:
        if secret:
            key = live_key(secret)
            return key is not None and not key.is_publishable
        if not session:
            return False
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(session)
        return bool(get_user(request).is_authenticated)
    finally:
        close_old_connections()


def _rendered(response: Any) -> HttpResponse:
    response.accepted_renderer = JSONRenderer()
    response.accepted_media_type, response.renderer_context = native.CONTENT_TYPE, {}
    return response.render()
