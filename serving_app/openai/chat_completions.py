"""POST /v1/chat/completions. The one address that web pages of other origins may ask, with a publishable key."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from gptstudio.accounts.selectors import is_public_origin
from gptstudio.api.authentication import PublishableKeyAuthentication
from serving_app import services
from serving_app.openai import errors
from serving_app.openai.inference import InferenceView

REMEMBERED_SECONDS = "600"  # for which a browser does not ask again
READABLE = "retry-after, x-request-id"


class ChatCompletions(InferenceView):
    """Answer a conversation."""

    authentication_classes = [PublishableKeyAuthentication]
    endpoint = "chat/completions"

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        if request.method == "OPTIONS" and "Origin" in request.headers:
            return await self._beforehand(request.headers["Origin"])
        response = await super().dispatch(request, *args, **kwargs)
        origin = getattr(request, "public_origin", None)
        return response if origin is None else _open_to(origin, response)

    async def _beforehand(self, origin: str) -> HttpResponseBase:
        """A browser asks whether a page of this origin may ask at all; it shows no key yet."""
        try:
            is_known = await services.in_strangers_thread(lambda: is_public_origin(origin))
        except errors.KNOWN as error:
            return errors.answer(error) or errors.of_status(500)
        if not is_known:
            return errors.envelope(
                403, "No publishable key may be used from pages of this origin.", code="origin_not_allowed"
            )
        response = _open_to(origin, HttpResponse(status=204))
        response.headers["Access-Control-Allow-Methods"] = "POST"
        response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
        response.headers["Access-Control-Max-Age"] = REMEMBERED_SECONDS
        return response


def _open_to(origin: str, response: HttpResponseBase) -> HttpResponseBase:
    """Let scripts of this origin read the answer."""
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = READABLE
    response.headers["Vary"] = "Origin"
    return response
