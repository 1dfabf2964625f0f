"""GET /v1/openapi.json: the document itself. It says nothing about anybody's data, so it is open."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from serving_app.openai import errors
from serving_app.openai.document.paths import document


def openapi(request: HttpRequest) -> HttpResponseBase:
    """OpenAPI 3.1, as JSON."""
    if request.method not in ("GET", "HEAD"):
        response = errors.of_status(405)
        response["Allow"] = "GET, HEAD"
        return response
    return JsonResponse(document())
