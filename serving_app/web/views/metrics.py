"""GET /metrics: Prometheus text about every workspace, so for the operator alone.

Who shows METRICS_TOKEN as a bearer, or is signed in as a superuser. An address such as loopback proves nothing behind a
proxy, and an admin of one workspace has no business with the others.
"""

from __future__ import annotations

import secrets

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from gptstudio.api.authentication import bearer
from serving_app.services.metering import metrics_text


async def metrics(request: HttpRequest) -> HttpResponse:
    """The text, or 401 with what to do."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    if not shows_token(request) and not await sync_to_async(_is_operator)(request):
        said = "Set METRICS_TOKEN and send it as a bearer token, or sign in as a superuser.\n"
        return HttpResponse(said, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})
    try:
        return HttpResponse(await metrics_text(), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return HttpResponse("The database is away.\n", status=503, content_type="text/plain")


def shows_token(request: HttpRequest) -> bool:
    """Whether METRICS_TOKEN is set and stands in the request."""
    shown = bearer(request.headers.get("Authorization", "")) or ""
    return bool(settings.METRICS_TOKEN) and secrets.compare_digest(shown.encode(), settings.METRICS_TOKEN.encode())


def _is_operator(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated and request.user.is_active and request.user.is_superuser)
