"""The gate of /v1: a request id on every answer, OpenAI's envelope on every error, no key in an address.

Programs bring a key and nothing else, so what is beneath /v1 is answered here, without sessions, CSRF tokens and
static files; an async view then holds no thread while it waits for an engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

from gptstudio.core.ids import mint
from gptstudio.core.logging import request_id
from serving_app.openai.errors import envelope, of_status
from serving_app.services.metering import count_answer

PREFIX = "/v1"
KEY_NAMES = {"api_key", "api-key", "apikey", "key", "access_token", "token"}
KEY_START = "sk-"
Before = Callable[[HttpRequest], HttpResponseBase | None]
_resolve = lru_cache(maxsize=64)(resolve)  # a few addresses are asked all the time


def _has_key_in_address(request: HttpRequest) -> bool:
    return bool(request.META.get("QUERY_STRING")) and any(
        name.lower() in KEY_NAMES or value.startswith(KEY_START)
        for name, values in request.GET.lists()
        for value in values
    )


def _nothing(_request: HttpRequest) -> None:
    """What is asked before, where nothing is."""


def _refuse(request: HttpRequest) -> HttpResponse | None:
    if not _has_key_in_address(request):
        return None
    message = (
        "A key in an address ends up in logs. Send it in the Authorization header, and have this one revoked "
        "if it was real."
    )
    return envelope(401, message, code="invalid_api_key")


def _finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Pages of Django's own become envelopes; every answer names its request."""
    plain = not response.get("Content-Type", "").startswith("application/json")
    if response.status_code >= 400 and plain:
        response = of_status(response.status_code)
    where = request.resolver_match
    if request.method != "OPTIONS":  # a browser's question beforehand is no request
        count_answer(
            endpoint=(where.url_name or "") if where else "",
            status=response.status_code,
            code=getattr(response, "error_code", ""),
        )
    response.headers.setdefault("x-request-id", request.request_id)  # type: ignore[attr-defined]
    return response


def _begin(request: HttpRequest) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    request.arrived = time.monotonic()  # type: ignore[attr-defined]
    request.request_id = mint("req_")  # type: ignore[attr-defined]
    request_id.set(request.request_id)  # type: ignore[attr-defined]
    request.resolver_match = _resolve(request.path_info)
    return tuple(request.resolver_match)  # type: ignore[return-value]


async def _call(before: Before, request: HttpRequest) -> HttpResponseBase:
    view, arguments, named = _begin(request)
    refused = before(request) or _refuse(request)
    if refused is not None:
        return refused
    run = view if iscoroutinefunction(view) else sync_to_async(view, thread_sensitive=True)
    response: HttpResponseBase = await run(request, *arguments, **named)
    return response


def _call_sync(before: Before, request: HttpRequest) -> HttpResponseBase:
    view, arguments, named = _begin(request)
    run = async_to_sync(view) if iscoroutinefunction(view) else view
    response: HttpResponseBase = before(request) or _refuse(request) or run(request, *arguments, **named)
    return response


class OpenAIGate:
    """Middleware: takes what is beneath /v1, passes the rest on. `before` may answer in a view's stead, or raise."""

    async_capable = True
    sync_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any], *, before: Before = _nothing) -> None:
        self._pass_on = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        self._answer: Callable[[HttpRequest], Any] = convert_exception_to_response(
            partial(_call if self._is_async else _call_sync, before)
        )

    def __call__(self, request: HttpRequest) -> Any:
        if not request.path_info.startswith(PREFIX + "/") and request.path_info != PREFIX:
            return self._pass_on(request)
        return self._answer_async(request) if self._is_async else _finish(request, self._answer(request))

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self._answer(request)
        return _finish(request, response)
