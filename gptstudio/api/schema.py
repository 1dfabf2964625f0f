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

from gptstudio.api.described import IDEMPOTENCY_KEY
from gptstudio.api.errors import CONTENT_TYPE

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


PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "What is wrong, in a sentence."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For programs."},
        "detail": {"type": "string"},
        "fix": {"type": "string", "description": "What to do."},
        "param": {"type": "string", "description": "The field that it is about."},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "Every wrong field of a body."},
    },
}
REFUSALS = {
    400: "The request cannot be taken as it is.",
    401: "No key and no session, or one that is not valid.",
    403: "The role or the key does not allow this.",
    404: "There is no such thing in this workspace.",
    406: "The answer has another media type than those accepted.",
    409: "The state of the thing does not allow this, or the same Idempotency-Key is being worked on.",
    412: "If-Match names another state of the thing than the one there is.",
    413: "The body is too large.",
    415: "The body has another media type.",
    422: "This Idempotency-Key was sent with another request.",
    429: "Enough of these for now.",
    503: "The studio's database is busy; `retry-after` tells when to try again.",
    507: "There is no room on the studio's disk.",
}


def _refusals(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    found = {401, 403, 406, 503}
    names = {each["name"] for each in operation.get("parameters", [])}
    found |= {400} if names or method != "get" else set()
    found |= {404} if "{" in path or "requestBody" in operation else set()
    found |= {409} if method != "get" else set()
    found |= {412} if "If-Match" in names else set()
    found |= {413, 415} if "requestBody" in operation else set()
    found |= {422} if IDEMPOTENCY_KEY in names else set()
    found |= {429} if "/invitations" in path and method == "post" else set()
    found |= {507} if path.endswith(("/files", "/parts", "/uploads")) and method != "get" else set()
    return sorted(found)


def with_refusals(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """drf-spectacular's hook: what every endpoint may be refused with, as problem details."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    result["components"]["responses"] = {
        f"Refused{status}": {"description": about, "content": content} for status, about in REFUSALS.items()
    }
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in _refusals(path, method, operation):
                operation["responses"].setdefault(str(status), {"$ref": f"#/components/responses/Refused{status}"})
    return result


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
