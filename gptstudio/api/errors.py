"""Errors of the native API: RFC 9457 problem details, for our own errors and for DRF's alike."""

from __future__ import annotations

import logging
import math
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from gptstudio.core.errors import StudioError

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"


def problem(status: int, code: str, message: str, *, fix: str = "", **more: Any) -> Response:
    """`{type, title, status, detail, code, fix?}` with the problem media type."""
    body = {
        "type": "about:blank",
        "title": message,
        "status": status,
        "code": code,
        "detail": f"{message} {fix}".strip(),
    }
    if fix:
        body["fix"] = fix
    return Response({**body, **more}, status=status, content_type=CONTENT_TYPE)


def _sentences(detail: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(detail, dict):
        return [line for key, value in detail.items() for line in _sentences(value, f"{path}.{key}".strip("."))]
    if isinstance(detail, list):
        return [line for value in detail for line in _sentences(value, path)]
    return [{"param": path, "message": str(detail)}]


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception hook. None for what is not an answer to the caller: Django then logs it and answers 500."""
    set_rollback()
    if isinstance(error, StudioError):
        more = {"param": error.param} if error.param else {}
        return problem(error.status, error.code, error.message, fix=error.fix, **more)
    if isinstance(error, DatabaseError):
        logger.error("the database is away or refused: %s", error)
        response = problem(503, "unavailable", "The studio's database is busy.", fix="Try again.")
        response["Retry-After"] = "2"
        return response
    if isinstance(error, Http404):
        return problem(404, "not_found", "There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return problem(403, "not_allowed", "This is not allowed.")
    if isinstance(error, exceptions.ValidationError):
        lines = _sentences(error.detail)
        first = f"{lines[0]['param']}: {lines[0]['message']}".strip(": ") if lines else "The request is not valid."
        return problem(400, "invalid", first, errors=lines)
    if isinstance(error, exceptions.APIException):
        code = getattr(error.detail, "code", None) or error.default_code
        response = problem(error.status_code, str(code), str(error.detail))
        if header := getattr(error, "auth_header", None):
            response["WWW-Authenticate"] = header
        if wait := getattr(error, "wait", None):
            response["Retry-After"] = str(math.ceil(wait))  # a client that comes back early is refused again
        return response
    return None
