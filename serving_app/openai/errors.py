"""Errors in OpenAI's envelope: our own, DRF's and Django's alike. `{"error": {message, type, param, code}}`."""

from __future__ import annotations

import logging
import math
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import Http404, JsonResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions

from gptstudio.api.services import RequestInFlight
from gptstudio.core.errors import Conflict, StudioError, TooMuch, Unavailable
from serving_app import services
from serving_app.selectors import Standing

logger = logging.getLogger(__name__)
KINDS = {403: "permission_error", 404: "invalid_request_error", 429: "rate_limit_error"}
KNOWN = (StudioError, exceptions.APIException, Http404, PermissionDenied, RequestDataTooBig, DatabaseError)
NO_KEY = (
    "You didn't provide an API key. Send it in the Authorization header, as 'Bearer <key>'; "
    "an admin of your workspace can make one."
)


def envelope(
    status: int,
    message: str,
    *,
    code: str | None = None,
    kind: str | None = None,
    param: str | None = None,
    retry: bool | None = None,
    retry_after: str | None = None,
) -> JsonResponse:
    """An error response. `retry` tells the official client whether trying again can help."""
    kind = kind or KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    body = {"error": {"message": message, "type": kind, "param": param, "code": code or None}}
    response = JsonResponse(body, status=status)
    response.error_code = code or kind  # type: ignore[attr-defined]
    if retry is not None:
        response["x-should-retry"] = "true" if retry else "false"
    if retry_after:
        response["retry-after"] = retry_after
    return response


def _lasting(seconds: float) -> str:
    """OpenAI's way to write a length of time: `12ms`, `1.5s`, `1m0s`."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{math.ceil(rest)}s" if minutes else f"{seconds:.3g}s"


def tell_rate(response: HttpResponseBase, standing: Standing) -> None:
    """OpenAI's headers about a key's requests and tokens a minute; only limits that the key has are told."""
    for noun, rate in (("requests", standing.requests), ("tokens", standing.tokens)):
        if rate is not None:
            response.headers[f"x-ratelimit-limit-{noun}"] = str(rate.limit)
            response.headers[f"x-ratelimit-remaining-{noun}"] = str(rate.remaining)
            response.headers[f"x-ratelimit-reset-{noun}"] = _lasting(rate.reset_in)


def _of_rate(error: services.RateExceeded) -> JsonResponse:
    """The official client waits as long as `retry-after` says, and then tries again."""
    wait = str(max(1, math.ceil(error.free_in))) if error.can_wait else None
    kind = "tokens" if error.noun == "tokens" else "requests"
    response = envelope(429, str(error), code=error.code, kind=kind, retry=error.can_wait, retry_after=wait)
    tell_rate(response, error.standing)
    return response


def _of_ours(error: StudioError) -> JsonResponse:
    kind = getattr(error, "kind", None)
    retry_after = getattr(error, "retry_after", "")
    if isinstance(error, Unavailable):
        return envelope(503, str(error), code=error.code, param=error.param, retry=True, retry_after="2")
    if isinstance(error, services.RateExceeded):
        return _of_rate(error)
    if isinstance(error, TooMuch):
        quota = error.code == "insufficient_quota"
        return envelope(
            429,
            str(error),
            code=error.code,
            kind="insufficient_quota" if quota else "requests",
            retry=not quota,
            retry_after="" if quota else "5",
        )
    if isinstance(error, RequestInFlight):
        return envelope(409, str(error), code=error.code, kind=kind, retry=True, retry_after="2")
    # The official client tries a 409 again; a state that does not allow something will not allow it then either.
    status = 400 if isinstance(error, Conflict) else error.status
    return envelope(status, str(error), code=error.code, kind=kind, param=error.param, retry_after=retry_after)


def _first(detail: Any, path: str = "") -> tuple[str, str]:
    """Field and sentence of the first complaint in DRF's nested detail."""
    if isinstance(detail, dict) and detail:
        key, value = next(iter(detail.items()))
        return _first(value, f"{path}.{key}".strip("."))
    if isinstance(detail, list) and detail:
        return _first(detail[0], path)
    return path, str(detail)


def _of_drf(error: exceptions.APIException) -> JsonResponse:
    if isinstance(error, exceptions.NotAuthenticated):
        return envelope(401, NO_KEY, code="invalid_api_key")
    if isinstance(error, exceptions.AuthenticationFailed):
        return envelope(401, f"Incorrect API key provided. {error.detail}", code="invalid_api_key")
    if isinstance(error, exceptions.ParseError):
        return envelope(400, f"The body of your request cannot be read: {error.detail}", code="invalid_body")
    if isinstance(error, exceptions.ValidationError):
        param, message = _first(error.detail)
        return envelope(400, message, code="invalid_value", param=param or None)
    return envelope(error.status_code, str(error.detail), code=str(error.default_code))


def answer(error: Exception, _context: dict[str, Any] | None = None) -> JsonResponse | None:
    """The response for an error; None for what is a defect of ours."""
    if isinstance(error, StudioError):
        return _of_ours(error)
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    if isinstance(error, Http404):
        return envelope(404, "There is nothing at this address.", code="not_found")
    if isinstance(error, PermissionDenied):
        return envelope(403, "This is not allowed.", code="not_allowed")
    if isinstance(error, RequestDataTooBig):
        return envelope(413, "The body of your request is too large.", code="request_too_large")
    if isinstance(error, DatabaseError):
        logger.error("the database is away or refused: %s", error)
        return envelope(
            503, "The studio's database is busy. Try again.", code="unavailable", retry=True, retry_after="2"
        )
    return None


SENTENCES = {
    400: ("Your request cannot be understood.", "invalid_request"),
    403: ("This is not allowed.", "not_allowed"),
    404: ("There is nothing at this address.", "not_found"),
    405: ("This address does not take this method.", "method_not_allowed"),
    413: ("The body of your request is too large.", "request_too_large"),
}


def of_status(status: int) -> JsonResponse:
    """The envelope for a response that only has a status, such as Django's own error pages."""
    fallback = ("The studio failed to answer. The failure was logged with this request's id.", "internal_error")
    message, code = SENTENCES.get(status, fallback)
    return envelope(status, message, code=code)
