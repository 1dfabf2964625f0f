"""The schema of the native API: what is in it, how one signs in, and a page that shows it without anything from outside."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView

PREFIX = "/api/v1/"
METHODS = ("get", "post", "put", "patch", "delete")


class KeyScheme(OpenApiAuthenticationExtension):
    """An API key in `Authorization: Bearer`."""

    target_class = "gptstudio.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key of the workspace, with scopes."}


class SignedInScheme(OpenApiAuthenticationExtension):
    """A member's browser session."""

    target_class = "gptstudio.api.authentication.SignedInAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def only_native(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """drf-spectacular's hook: the native API alone, without the addresses of the schema itself."""
    apart = ("schema", "docs", "{rest}")
    return [each for each in endpoints if each[0].startswith(PREFIX) and not each[0].endswith(apart)]


class Schema(SpectacularAPIView):
    """OpenAPI 3, as YAML, or as JSON to who asks for it. It says nothing about anybody's data, so it is open."""

    permission_classes = []
    authentication_classes = []


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The whole schema; it does not change while the process lives."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


def _described(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    bodies = operation.get("requestBody", {}).get("content", {})
    return {
        "method": method.upper(),
        "path": path,
        "text": operation.get("description", ""),
        "parameters": [each for each in operation.get("parameters", []) if each["in"] != "path"],
        "bodies": list(bodies),
        "fields": _fields(bodies.get("application/json", {}).get("schema", {})),
        "answers": ", ".join(sorted(operation.get("responses", {}))),
    }


def _fields(body: dict[str, Any]) -> list[tuple[str, str]]:
    name = body.get("$ref", "").rsplit("/", 1)[-1]
    found = schema()["components"]["schemas"].get(name, {}).get("properties", {})
    return [
        (key, each.get("type") or ("object" if "$ref" in each else "any JSON value")) for key, each in found.items()
    ]


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every endpoint with its parameters, in the studio's own look."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in schema()["paths"].items():
        noun = path.removeprefix(PREFIX).split("/", 1)[0].replace("-", " ").capitalize()
        found = [_described(path, method, operations[method]) for method in METHODS if method in operations]
        groups.setdefault(noun, []).extend(found)
    return render(request, "api/docs.html", {"groups": groups, "host": request.build_absolute_uri("/").rstrip("/")})
