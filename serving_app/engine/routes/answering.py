"""From a request that was read to a stream of events: admission, tokenising, and writing events to the socket.

Shared by chat and text completions; knows neither's bodies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakValueDictionary

from aiohttp import web

from serving_app.engine.errors import EngineError, invalid
from serving_app.engine.protocol.bodies import SSE_DONE, SSE_PING, Envelope, sse
from serving_app.engine.registry import ServedModel
from serving_app.engine.requests import Closed, Delta, Event

Result = TypeVar("Result")
SSE_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}
PING_SECONDS = 10.0
# One thread: tokenizers are quick, and the cores belong to the model.
TOKENIZING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokenize")
# Chat templates run in processes of their own, and a thread waits for each. A model has one of the threads at a time, so that
# many requests to one whose template takes long hold up no other model.
TEMPLATING = ThreadPoolExecutor(max_workers=8, thread_name_prefix="template")
_TURNS: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def tokenized(work: Callable[[], Result]) -> Result:
    """Run an encoding, or the building of a grammar, outside of the event loop's thread."""
    return await asyncio.get_running_loop().run_in_executor(TOKENIZING, work)


async def rendered(model: str, work: Callable[[], str]) -> str:
    """Have a model's chat template write, once those who asked before have their turn."""
    turn = _TURNS.setdefault(model, asyncio.Lock())
    async with turn:
        return await asyncio.get_running_loop().run_in_executor(TEMPLATING, work)


def check_length(served: ServedModel, prompts: list[list[int]], *, max_tokens: int | None, param: str) -> int:
    """How many tokens to write at most: as asked, else what fits. Errors: 400 when prompt and answer do not fit."""
    context = served.loaded.context
    longest = max(len(prompt) for prompt in prompts)
    if not min(len(prompt) for prompt in prompts):
        raise invalid("The prompt is empty.", param=param)
    if any(max(prompt) >= served.loaded.vocabulary for prompt in prompts):
        raise invalid("The prompt holds token ids that this model lacks.", param=param)
    wanted = 1 if max_tokens is None else max_tokens
    if longest + wanted > context:
        raise EngineError(
            f"This model's context is {context} tokens; the prompt has {longest} and {wanted} were asked for. "
            "Shorten the prompt or lower the number of tokens.",
            param=param,
            code="context_length_exceeded",
        )
    return context - longest if max_tokens is None else max_tokens


def envelope(served: ServedModel, prefix: str, attempt_id: str) -> Envelope:
    """A fresh envelope for one answer, named by its attempt; the fingerprint is the start of the model's digest."""
    digest = served.digest[:16] if served.digest else None
    return Envelope(f"{prefix}-{attempt_id}", int(time.time()), served.name, digest)


async def whole(events: asyncio.Queue[Event]) -> tuple[dict[int, Delta], Closed]:
    """Wait for the end; the deltas by choice. Errors: a 500 when the engine failed."""
    deltas: dict[int, Delta] = {}
    while True:
        event = await events.get()
        if isinstance(event, Closed):
            if event.problem is not None:
                raise failure(event)
            return deltas, event
        deltas[event.choice] = event


def failure(closed: Closed) -> EngineError:
    """The error for an answer that the engine could not finish."""
    return EngineError(
        closed.problem or "The answer was cancelled.", status=500, kind="server_error", code="engine_failed"
    )


async def stream(
    request: web.Request,
    events: asyncio.Queue[Event],
    *,
    attempt_id: str,
    opening: bytes,
    render: Callable[[Delta], bytes],
    closing: Callable[[Closed], bytes],
) -> web.StreamResponse:
    """Write events as they come, all that are ready in one write. A failure goes out as an error event."""
    response = web.StreamResponse(headers={**SSE_HEADERS, "x-request-id": attempt_id})
    await response.prepare(request)
    await response.write(opening)
    async for batch in _batches(events):
        await response.write(b"".join(_rendered(batch, render, closing)) if batch else SSE_PING)
    await response.write_eof()
    return response


async def _batches(events: asyncio.Queue[Event]) -> AsyncIterator[list[Event]]:
    """Everything that is ready, again and again, until the end; an empty batch after a long silence."""
    while True:
        try:
            batch = [await asyncio.wait_for(events.get(), PING_SECONDS)]
        except TimeoutError:
            yield []
            continue
        while not events.empty():
            batch.append(events.get_nowait())
        yield batch
        if isinstance(batch[-1], Closed):
            return


def _rendered(
    batch: Iterable[Event], render: Callable[[Delta], bytes], closing: Callable[[Closed], bytes]
) -> Iterable[bytes]:
    for event in batch:
        if isinstance(event, Delta):
            yield render(event)
        else:
            yield closing(event) + SSE_DONE if event.problem is None else error_event(event)


def error_event(closed: Closed) -> bytes:
    """An error after the first byte; the official client raises it."""
    return sse(failure(closed).body())
