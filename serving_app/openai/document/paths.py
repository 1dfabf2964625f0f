"""The document put together: addresses and methods from the URL table, scopes from the views, the rest from the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import URLPattern, get_resolver

from gptstudio.accounts.policies import SCOPES
from gptstudio.api.described import IDEMPOTENCY_KEY
from gptstudio.api.idempotency import LONGEST
from serving_app.openai.document import answers, chat_bodies, engine_answers, request_bodies
from serving_app.openai.document.operations import JSON, OPERATIONS, Operation
from serving_app.openai.document.shapes import SLUG, Schema, ref, text

ADDRESSES = "serving_app.openai.urls"
PARAMETER = re.compile(r"<(\w+):(\w+)>")
REFUSALS = {
    400: "The request cannot be taken as it is; `param` names the field.",
    401: "No key, or one that is unknown, revoked, paused or expired.",
    403: "The key does not allow this, or the model is not released.",
    404: "There is no such thing in this workspace.",
    408: "The body did not come in time.",
    409: "The first request with this Idempotency-Key is still being worked on.",
    413: "The body is too large.",
    415: "The body has another media type.",
    422: "This Idempotency-Key was sent with another request.",
    429: "A limit or a budget is used up; `x-should-retry` tells whether waiting helps.",
    500: "The engine failed in the middle of the answer.",
    503: "The database or the engine is away, or the model is being loaded; `retry-after` tells when to try again.",
    507: "There is no room on the studio's disk.",
}
REQUEST_ID = {"x-request-id": {"schema": text(least=1), "required": True, "description": "Names this request in logs."}}


def addresses() -> Iterator[tuple[str, str, Any]]:
    """Route, name and view of every address below /v1, but for the one that catches what is none."""
    for pattern in get_resolver(ADDRESSES).url_patterns:
        if isinstance(pattern, URLPattern) and pattern.name != "unknown":
            yield str(pattern.pattern), str(pattern.name), pattern.callback


def methods_of(view: Any) -> list[str]:
    """The methods that a view takes."""
    cls = getattr(view, "cls", None)
    return list(cls.actions) if cls is not None else ["GET"]


def _parameters(route: str, view: Any, method: str, operation: Operation) -> list[dict[str, Any]]:
    slug, anything = {"type": "string", "pattern": SLUG}, text(least=1)
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": slug if kind == "slug" else anything}
        for kind, name in PARAMETER.findall(route)
    ]
    found += [{"name": name, "in": "query", "schema": schema} for name, schema in operation.query.items()]
    if method == "POST" and view.cls.replays:
        key = {"type": "string", "pattern": f"^[ -~]{{1,{LONGEST}}}$"}
        found.append({"name": IDEMPOTENCY_KEY, "in": "header", "schema": key})
    return found


def _statuses(route: str, view: Any, method: str, operation: Operation) -> list[int]:
    if not hasattr(view, "cls"):
        return []
    found = {401, 403, 503, *operation.refusals}
    found |= {400} if operation.query or method != "GET" else set()
    found |= {404} if "<" in route else set()
    found |= {413, 415} if operation.body else set()
    found |= {409, 422} if method == "POST" and view.cls.replays else set()
    return sorted(found)


def _named(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/Refused{status}"}


def _refusal(status: int) -> dict[str, Any]:
    return {"description": REFUSALS[status], "headers": REQUEST_ID, "content": {JSON: {"schema": ref("Error")}}}


def _operation(route: str, name: str, view: Any, method: str) -> dict[str, Any]:
    described = OPERATIONS[name, method]
    good = {
        "description": described.about,
        "headers": REQUEST_ID,
        "content": {kind: {"schema": schema} for kind, schema in described.answers.items()},
    }
    found: dict[str, Any] = {
        "operationId": f"{name}_{method.lower()}",
        "tags": [described.noun],
        "summary": described.about,
        "responses": {
            "200": good,
            **{str(each): _named(each) for each in _statuses(route, view, method, described)},
        },
    }
    if parameters := _parameters(route, view, method, described):
        found["parameters"] = parameters
    if described.body:
        found["requestBody"] = {"required": True, "content": {described.kind: {"schema": ref(described.body)}}}
    if hasattr(view, "cls"):
        found["description"] = f"A key needs one of the scopes {', '.join(scopes_for(view.cls.actions[method]))}."
    else:
        found["security"] = []
    return found


def scopes_for(action: str) -> list[str]:
    """The scopes of keys that allow an action."""
    return [scope for scope, actions in SCOPES.items() if action in actions]


def schemas() -> dict[str, Schema]:
    """All components."""
    found: dict[str, Schema] = {}
    for module in (chat_bodies, request_bodies, answers, engine_answers):
        found |= module.schemas()
    return found


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The whole document; it does not change while the process lives."""
    paths: dict[str, Any] = {}
    for route, name, view in addresses():
        path = "/" + PARAMETER.sub(r"{\2}", route)
        paths[path] = {method.lower(): _operation(route, name, view, method) for method in methods_of(view)}
    bearer = {"type": "http", "scheme": "bearer", "description": "An API key of the workspace, with scopes."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "GPT Studio, the OpenAI surface",
            "version": settings.VERSION,
            "description": "What OpenAI's clients send here, and what they are answered. Other fields are refused by name.",
        },
        "servers": [{"url": "/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": bearer},
            "responses": {f"Refused{status}": _refusal(status) for status in REFUSALS},
            "schemas": schemas(),
        },
    }
