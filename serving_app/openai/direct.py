"""The inference addresses of /v1, answered without Django's own handler, which starts a thread for each request and hops
between threads for its signals and for every middleware.

It runs the same gate and the same views, and knows nothing of what they do. Everything else is passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from io import BytesIO
from typing import IO, Any

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware

from gptstudio.core.bodies import Application, Receive, Scope, Send, spooled
from gptstudio.core.errors import TooSlow
from serving_app.openai.chat_completions import ChatCompletions
from serving_app.openai.completions import Completions
from serving_app.openai.embeddings import Embeddings
from serving_app.openai.gate import PREFIX, OpenAIGate

PATHS = frozenset(f"{PREFIX}/{view.endpoint}" for view in (ChatCompletions, Completions, Embeddings))
BODY_SECONDS = 120.0  # for the rest of a body once it has begun to come: 12 MB at 0.8 Mbit/s


class InferenceFirst:
    """An ASGI application around Django's."""

    def __init__(self, application: Application) -> None:
        self._pass_on = application
        self._security = SecurityMiddleware(lambda _request: HttpResponse())
        self._gate = OpenAIGate(_nothing_else, before=self._security.process_request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] not in PATHS:
            await self._pass_on(scope, receive, send)
            return
        try:
            body = await _body(receive)
        except RequestAborted:
            return
        with body:
            await self._answer_while_there(scope, body, receive, send)

    async def _answer_while_there(self, scope: Scope, body: IO[bytes], receive: Receive, send: Send) -> None:
        """Answer, unless the caller leaves before that."""
        answering = asyncio.create_task(self._answer(scope, body, send))
        leaving = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not answering.done():
                answering.cancel()
        await asyncio.wait({answering})
        if not answering.cancelled():
            answering.result()

    async def _answer(self, scope: Scope, body: IO[bytes], send: Send) -> None:
        request = ASGIRequest(scope, body)
        response = await self._gate(request)
        await _send(self._security.process_response(request, response), send)


async def _nothing_else(_request: HttpRequest) -> HttpResponseBase:
    """What the gate would pass on; of these addresses it passes on none."""
    return HttpResponse(status=404)


async def _body(receive: Receive) -> IO[bytes]:
    """All of it, as a file at its start: the body gate has bounded it, and nobody has looked at the key yet.

    Raises RequestAborted when the caller has gone, TooSlow, and what `receive` raises.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            begun = message.get("body", b"")
            if not message.get("more_body", False):  # most bodies come in one piece
                return BytesIO(begun)
            return await spooled(receive, begun=begun)
    except TimeoutError as late:
        raise TooSlow(
            f"The body of your request did not come within {BODY_SECONDS:g} seconds.", fix="Send it again, or less."
        ) from late


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _send(response: HttpResponseBase, send: Send) -> None:
    """Status, headers and body; a streamed body piece by piece."""
    if not response.streaming:
        content = response.content  # type: ignore[attr-defined]
        response.headers["Content-Length"] = str(len(content))
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    if response.streaming:
        pieces: Any = response
        async with aclosing(aiter(pieces)) as content:
            async for piece in content:
                await send(_part(piece, more=True))
        await send(_part(b"", more=False))
    else:
        await send(_part(content, more=False))


def _part(body: bytes, *, more: bool) -> Mapping[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}
