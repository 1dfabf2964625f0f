"""What the views of /v1 share: keys alone open them, errors leave in OpenAI's envelope, any Accept header is fine."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from gptstudio.accounts.policies import Actor
from gptstudio.api.authentication import KeyAuthentication, actor_of
from gptstudio.api.idempotency import Idempotent
from gptstudio.core.errors import Invalid
from serving_app.engine.protocol import strict_json
from serving_app.openai import errors
from serving_app.selectors import Page


class AnyAccept(BaseContentNegotiation):
    """The official client asks for `application/binary` where it downloads; nobody is refused for that."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        chosen = [each for each in parsers if (request.content_type or "").startswith(each.media_type)]
        return chosen[0] if chosen else None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class OpenAIView(Idempotent):
    """A plain sync view. `actions` names what a method needs: `{"GET": "datasets.view"}`."""

    authentication_classes = [KeyAuthentication]
    content_negotiation_class = AnyAccept
    parser_classes: Any = []
    schema = None
    actions: ClassVar[dict[str, str]] = {}

    def get_exception_handler(self) -> Any:
        return errors.answer

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @property
    def workspace_id(self) -> str:
        return self.actor.workspace_id

    def object_body(self) -> dict[str, Any]:
        """The JSON object that was sent."""
        return read_body(self.request._request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in self.actions:
            raise exceptions.MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)


def read_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a request. Raises Invalid, UnsupportedMediaType, RequestDataTooBig."""
    kind = (request.content_type or "").lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise exceptions.UnsupportedMediaType(kind or "none")
    try:
        body = strict_json.read(request.body)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"We could not parse the JSON body of your request: {error}.", code="invalid_body") from error
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object.", code="invalid_body")
    return body


def whole_number(value: Any) -> int | None:
    """A whole number of a body, None for what is none. JSON has one kind of number: 3.0 is 3."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def query_number(request: Request, name: str, *, default: int, most: int) -> int:
    """A whole number from the address. What is larger than `most` is taken as `most`."""
    raw = request.query_params.get(name, str(default))
    if not raw.isascii() or not raw.isdigit() or int(raw[:9]) < 1:
        raise Invalid(f"{name} is {raw[:40]!r}.", fix="Use a whole number from 1.", code="invalid_value", param=name)
    return min(int(raw[:9]), most)


def query_cursor(request: Request) -> str:
    """The id after which the page begins; empty for the first page."""
    after = request.query_params.get("after", "")
    if after and not (after.isascii() and after.replace("-", "").replace("_", "").isalnum()):
        raise Invalid("after is not the id of an item.", code="invalid_value", param="after")
    return after


def listed(page: Page, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """One page in OpenAI's shape."""
    return {
        "object": "list",
        "data": bodies,
        "first_id": bodies[0]["id"] if bodies else None,
        "last_id": bodies[-1]["id"] if bodies else None,
        "has_more": page.has_more,
    }


def unknown(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    """Every address beneath /v1 that is none."""
    address = f"{request.method} {request.path}"[:200]
    response: JsonResponse = errors.envelope(404, f"Unknown request URL: {address}.", code="unknown_url")
    return response
