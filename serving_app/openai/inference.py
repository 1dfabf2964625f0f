"""The base of the views that ask engines: async, one trip to the database before the engine, one after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions

from gptstudio.accounts.models import ApiKey
from serving_app import services
from serving_app.openai import errors
from serving_app.openai.base import OpenAIView, read_body
from serving_app.services import Admission, Asked, Caller

SSE = "text/event-stream; charset=utf-8"


class AsyncView(OpenAIView, ABC):
    """POST alone, answered without a thread of its own; nothing of an answer is kept for repeats."""

    http_method_names = ["post"]
    replays = False

    @abstractmethod
    async def post(self, request: HttpRequest) -> HttpResponseBase:
        """The answer. Errors of `errors.KNOWN` become envelopes."""

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        try:
            if request.method != "POST":
                raise exceptions.MethodNotAllowed(str(request.method))
            return await self.post(request)
        except errors.KNOWN as error:
            response = errors.answer(error)
            if response is None:
                raise
            if response.status_code == 405:
                response["Allow"] = "POST"
            return response

    def let_in(self, request: HttpRequest) -> None:
        """DRF's authentication, permissions and throttles; it asks the database."""
        self.request = self.initialize_request(request)
        self.initial(self.request)


class InferenceView(AsyncView):
    """DRF's authentication, permissions and throttles, run in the one trip that also chooses and reserves."""

    actions: ClassVar[dict[str, str]] = {"POST": "models.use"}
    endpoint = ""

    async def post(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, whole or streamed."""
        body = read_body(request)
        admission = await services.admit(lambda: self._choose(request, body))
        if admission.streamed:
            return self._named(await self._stream(admission), admission)
        return self._named(JsonResponse(await services.answer(admission)), admission)

    def _choose(self, request: HttpRequest, body: Mapping[str, Any]) -> Asked:
        self.let_in(request)
        key = cast(ApiKey, self.request.auth)  # nothing else opens these views
        return services.choose(
            Caller(self.actor, key.workspace, key, arrived=request.arrived),  # type: ignore[attr-defined]
            endpoint=self.endpoint,
            body=body,
            size=len(request.body),
            attempt_id=request.request_id,  # type: ignore[attr-defined]
        )

    async def _stream(self, admission: Admission) -> StreamingHttpResponse:
        response = StreamingHttpResponse(await services.stream(admission), content_type=SSE)
        response["Cache-Control"] = "no-cache"
        response["X-Accel-Buffering"] = "no"
        return response

    def _named(self, response: HttpResponseBase, admission: Admission) -> HttpResponseBase:
        response.headers["x-request-id"] = admission.attempt_id
        response.headers["x-studio-model"] = admission.served
        errors.tell_rate(response, admission.standing)
        return response
