"""The base of the views that ask engines: async, one trip to the database before the engine, one after it."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions

from gptstudio.accounts.models import ApiKey
from gptstudio.api.idempotency import Replayed
from gptstudio.api.services import Answer, keep_answer, release_answer
from serving_app import services
from serving_app.openai import errors
from serving_app.openai.base import OpenAIView, read_body
from serving_app.services import Admission, Asked, Caller
from serving_app.services.wire import DONE

SSE = "text/event-stream; charset=utf-8"


class AsyncView(OpenAIView, ABC):
    """POST alone, answered without a thread of its own. A key for repeats holds for streams too, once they are whole."""

    http_method_names = ["post"]

    @abstractmethod
    async def post(self, request: HttpRequest) -> HttpResponseBase:
        """The answer. Errors of `errors.KNOWN` become envelopes."""

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        is_answered = False
        try:
            if request.method != "POST":
                raise exceptions.MethodNotAllowed(str(request.method))
            response = await self.post(request)
            is_answered = True
            return await self._kept(response)
        except Replayed as earlier:
            return earlier.answer
        except errors.KNOWN as error:
            refused = errors.answer(error)
            if refused is None:
                raise
            if refused.status_code == 405:
                refused["Allow"] = "POST"
            return refused
        finally:
            if not is_answered:
                await self._free()

    async def _kept(self, response: HttpResponseBase) -> HttpResponseBase:
        """The answer, kept for whoever repeats the request: at once, or when its stream is over."""
        if self._claimed is None:
            return response
        if response.streaming:
            response.streaming_content = self._recorded(response, response.streaming_content)  # type: ignore[attr-defined]
        else:
            await self._keep(response, response.content)  # type: ignore[attr-defined]
        return response

    async def _recorded(self, response: HttpResponseBase, stream: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
        """The same stream. One that broke off, or that the caller left, leaves the key free."""
        pieces: list[bytes] = []
        try:
            async with aclosing(stream):
                async for piece in stream:
                    pieces.append(piece)
                    yield piece
        finally:
            if pieces[-1:] == [DONE]:
                await self._keep(response, b"".join(pieces))
            else:
                await self._free()

    async def _keep(self, response: HttpResponseBase, body: bytes) -> None:
        if self._claimed is not None:
            answer = Answer(response.status_code, response["Content-Type"], body.decode())
            await asyncio.shield(services.in_ledger_thread(keep_answer, self._claimed, answer))

    async def _free(self) -> None:
        """The key may be sent again."""
        if self._claimed is not None:
            await asyncio.shield(services.in_ledger_thread(release_answer, self._claimed))

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
        answer = json.dumps(await services.answer(admission)).encode()
        return self._named(HttpResponse(answer, content_type="application/json"), admission)

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
