"""`GET /health`: 200 only when web, worker and engine are ready; says which is not. `GET /health/web` is about this process."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from gptstudio.core import heartbeats
from serving_app.selectors import engine_is_ready


def home_id() -> str:
    """Sixteen hex digits that two homes on one machine do not share, and that do not tell where the home is."""
    return hashlib.sha256(f"{settings.SECRET_KEY}:{settings.STUDIO_HOME}".encode()).hexdigest()[:16]


@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """`{status, home, web, worker, reconciler, engine}`; `home` tells two studios on one machine apart: it is no path."""
    try:
        engine = engine_is_ready()
    except DatabaseError:
        return JsonResponse({"status": "database away"}, status=503, headers={"Retry-After": "2"})
    parts = {
        "web": True,
        "worker": heartbeats.is_alive("worker"),
        "reconciler": heartbeats.is_alive("reconciler"),
        "engine": engine,
    }
    ready = all(parts.values())
    body = {"status": "ok" if ready else "starting", "home": home_id(), **parts}
    return JsonResponse(body, status=200 if ready else 503)


@require_GET
def health_of_web(request: HttpRequest) -> JsonResponse:
    """200 when this process answers and reaches the database: whether it may be sent requests, whoever else is away."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except DatabaseError:
        return JsonResponse({"status": "database away"}, status=503, headers={"Retry-After": "2"})
    return JsonResponse({"status": "ok"})
