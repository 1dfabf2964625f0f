"""Health and metrics, answered whatever the Host says: load balancers and Prometheus ask each pod by its address, which
nobody can list in ALLOWED_HOSTS. Neither answer repeats the Host.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from gptstudio.overview.health import health, health_of_web
from serving_app.web.views.metrics import metrics, shows_token

HEALTH = {"/health": health, "/health/web": health_of_web}


@sync_and_async_middleware
def machines_first(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Answer `/health`, `/health/web`, and `/metrics` where its token is shown; who is signed in goes on as everybody."""

    def asks_for_metrics(request: HttpRequest) -> bool:
        return request.path_info == "/metrics" and shows_token(request)

    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> HttpResponse:
            if view := HEALTH.get(request.path_info):
                return await sync_to_async(view)(request)
            if asks_for_metrics(request):
                return await metrics(request)
            answer: HttpResponse = await get_response(request)
            return answer

        return middleware

    def sync_middleware(request: HttpRequest) -> HttpResponse:
        if view := HEALTH.get(request.path_info):
            return view(request)
        if asks_for_metrics(request):
            return async_to_sync(metrics)(request)
        answer: HttpResponse = get_response(request)
        return answer

    return sync_middleware
