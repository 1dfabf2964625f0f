"""Between caller and engine: ask, pass on what comes, settle. Async, and without the database while tokens flow.

A caller who goes away cancels this coroutine; the connection to the engine closes, the engine stops and closes its
journal, and the reaper settles from there. So does it after a crash of either side. Where an engine keeps no journal, what
was seen of the answer is settled here, as estimated.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from aiohttp import ClientResponse
from django.db import Error as DatabaseError

from gptstudio.core.errors import StudioError, Unavailable
from serving_app import engine_client
from serving_app.engine_client import EngineAway, EngineBroke, EngineRefused
from serving_app.guardrails.answers import FILTERED
from serving_app.guardrails.prompts import texts_of
from serving_app.models import CompletionState
from serving_app.prices import Tokens, prompt_guess
from serving_app.services.admitted import Admission
from serving_app.services.apart import cache_scope
from serving_app.services.keeping import keep, recording
from serving_app.services.metering import count_broken, count_times
from serving_app.services.stopping import counted, guarding, report
from serving_app.services.trips import in_ledger_thread
from serving_app.services.usage import LEFT, Ending, note_left, note_stopped, release, settle
from serving_app.services.wire import DONE, Rewriter, event, finish_reason_in, to_engine, tokens_in, without_cached

logger = logging.getLogger(__name__)
SENT = ("messages", "prompt", "input", "tools")
BROKEN = "The inference engine ended before the answer was complete."
BROKEN_ERROR: dict[str, Any] = {"message": BROKEN, "type": "server_error", "code": "engine_broke"}


class RefusedByEngine(StudioError):
    """An engine's own refusal, in the caller's words. `kind` is OpenAI's type of the error."""

    def __init__(self, status: int, message: str, *, kind: str, code: str, param: str | None, retry_after: str) -> None:
        super().__init__(message, code=code, param=param)
        self.status = status
        self.kind = kind
        self.retry_after = retry_after


class Clock:
    """Milliseconds since the engine was asked, and what the gateway took before that and takes after its last byte."""

    def __init__(self, arrived: float) -> None:
        self.started = time.monotonic()
        self.before = self.started - arrived
        self.engine: float | None = None
        self.first_token_ms: int | None = None

    def now(self) -> int:
        return int((time.monotonic() - self.started) * 1000)

    def engine_ended(self) -> None:
        self.engine = time.monotonic() - self.started

    def tell(self, model: str, tokens: Tokens | None, *, is_one: bool) -> None:
        """Count the times of an answer that is over. Where several were written side by side, nobody knows what passed
        between the tokens of one.
        """
        if self.engine is not None:
            count_times(
                model,
                before=self.before,
                first=None if self.first_token_ms is None else self.first_token_ms / 1000,
                engine=self.engine,
                after=max(0.0, time.monotonic() - self.started - self.engine),
                tokens=tokens.completion if tokens and is_one else None,
            )

    def token(self) -> None:
        if self.first_token_ms is None:
            self.first_token_ms = self.now()


def _named(text: Any, admission: Admission) -> Any:
    """The engine's name of a model is nobody else's business."""
    return text.replace(admission.engine_name, admission.called) if isinstance(text, str) else text


def _refusal(error: EngineRefused, admission: Admission) -> StudioError:
    if error.status == 404:
        return Unavailable(f"`{admission.called}` is being loaded.", fix="Try again.", code="model_not_loaded")
    if error.status in (401, 403):
        return Unavailable("The inference engine refuses this studio's ENGINE_TOKEN.", code="engine_unavailable")
    inside = error.error
    return RefusedByEngine(
        error.status,
        _named(str(error), admission),
        kind=str(inside.get("type") or "server_error"),
        code=str(inside.get("code") or ""),
        param=_named(inside.get("param"), admission),
        retry_after=error.retry_after or "",
    )


async def _give_back(admission: Admission, code: str, state: str = CompletionState.FAILED) -> None:
    await asyncio.shield(in_ledger_thread(release, admission.attempt_id, error_code=code, state=state))


async def _bill(
    admission: Admission, tokens: Tokens | None, *, finish_reason: str, clock: Clock, is_guess: bool = False
) -> None:
    """Settle with the engine's count. Without a count, or when we cannot write, the reaper does, from the journal."""
    if tokens is None and admission.has_journal:
        if finish_reason == FILTERED:
            await _write(note_stopped, admission.attempt_id)
        return
    ending = Ending(
        finish_reason or "stop",
        first_token_ms=clock.first_token_ms,
        total_ms=clock.now(),
        gateway_us=int(clock.before * 1_000_000),
        estimated=is_guess or tokens is None,
    )
    await _write(settle, admission.attempt_id, tokens=tokens or Tokens(), ending=ending)


async def _bill_seen(admission: Admission, seen: Rewriter | None, *, reason: str, clock: Clock) -> None:
    """Settle what was seen of an answer that broke off, where no journal will tell: the engine's last count, else its
    pieces, which are at least as many tokens, and a guess at the prompt. Where it failed before it said anything: nothing.
    """
    if admission.has_journal:
        if reason == LEFT:
            await _write(note_left, admission.attempt_id)
        return
    pieces = seen.pieces if seen else 0
    tokens = seen.counted if seen else None
    if tokens is None and (pieces or reason == LEFT):
        tokens = Tokens(prompt=prompt_guess(texts_of(admission.body, SENT)), completion=pieces)
    await _bill(admission, tokens, finish_reason=reason, clock=clock, is_guess=True)


async def _write(service: Callable[..., Any], attempt_id: str, **more: Any) -> None:
    try:
        await asyncio.shield(in_ledger_thread(service, attempt_id, **more))
    except DatabaseError as error:
        logger.warning("%s is left to the reaper: %s", attempt_id, error)


async def _failed(error: Exception, admission: Admission) -> StudioError:
    """What the caller is told; what was held is given back when the engine surely did nothing for it."""
    if isinstance(error, EngineAway):
        await _give_back(admission, "engine_unavailable")
        return Unavailable("The inference engine is not up.", fix="Try again.", code="engine_unavailable")
    if isinstance(error, EngineRefused):
        told = _refusal(error, admission)
        if error.status != 500 or not admission.has_journal:  # an answer that failed half-way is in the journal
            is_callers = isinstance(told, RefusedByEngine) and 400 <= error.status < 500 and error.status != 429
            state = CompletionState.REFUSED if is_callers else CompletionState.FAILED
            await _give_back(admission, told.code or f"engine_{error.status}", state)
        return told
    return Unavailable(BROKEN, fix="Try again.", code="engine_broke")


def _asking(admission: Admission) -> AbstractAsyncContextManager[ClientResponse]:
    scope = cache_scope(admission.caller.workspace.id)
    salt = scope if admission.is_vllm else ""
    body = to_engine(admission.body, engine_name=admission.engine_name, cache_salt=salt)
    return engine_client.asking(admission.url, admission.path, body=body, attempt_id=admission.attempt_id, scope=scope)


async def answer(admission: Admission) -> dict[str, Any]:
    """A whole answer, settled."""
    clock = Clock(admission.caller.arrived)
    try:
        async with _asking(admission) as response:
            found: dict[str, Any] = json.loads(await response.read())
    except (EngineAway, EngineBroke, EngineRefused, json.JSONDecodeError) as error:
        if isinstance(error, EngineBroke | json.JSONDecodeError):
            await _bill_seen(admission, None, reason="error", clock=clock)
        raise await _failed(error, admission) from error
    except asyncio.CancelledError:
        await _bill_seen(admission, None, reason=LEFT, clock=clock)
        raise
    clock.engine_ended()
    if not admission.keeps_apart:
        found = without_cached(found)
    found["model"] = admission.called
    if "id" in found:
        found["id"] = admission.answer_id
    tokens, guard = tokens_in(found.get("usage")), guarding(admission)
    if guard is not None:
        guard.whole(found)
    try:
        await report(admission, guard)
    finally:
        await _bill(admission, tokens, finish_reason=finish_reason_in(found), clock=clock)
    clock.tell(admission.served, tokens, is_one=admission.is_one)
    record = recording(admission)
    if record is not None:
        record.add(found)
        keep(admission, record)
    return found


async def stream(admission: Admission) -> AsyncIterator[bytes]:
    """Start a stream: errors before the first byte are raised here, later ones travel inside of it."""
    pieces = _pieces(admission)
    first = await anext(pieces)
    return _chained(first, pieces)


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()  # type: ignore[attr-defined]


async def _pieces(admission: Admission) -> AsyncIterator[bytes]:
    """The caller's stream: as it comes from the engine, then the bill, then the end mark."""
    clock, guard = Clock(admission.caller.arrived), guarding(admission)
    record = recording(admission)
    rewriter = Rewriter(
        engine_name=admission.engine_name,
        called=admission.called,
        answer_id=admission.answer_id,
        wants_usage=admission.wants_usage,
        tells_cached=admission.keeps_apart,
        hides_running=admission.is_vllm,
        guard=guard,
        record=record,
    )
    reason, is_over = LEFT, False
    try:
        is_stopped = False
        try:
            async with _asking(admission) as response:
                async for data in response.content.iter_any():
                    piece = rewriter.feed(data)
                    if rewriter.has_text:
                        clock.token()
                    if guard is not None:
                        await report(admission, guard)
                    if piece:
                        yield piece
                    is_stopped = guard is not None and guard.has_stopped and admission.has_journal and not rewriter.done
                    if is_stopped:
                        break  # closes the connection: nothing that the engine would still write goes out
        except (EngineAway, EngineRefused) as error:
            is_over = True
            raise await _failed(error, admission) from error
        except (EngineBroke, ValueError):
            rewriter.error = BROKEN_ERROR
        if is_stopped or rewriter.complete:
            clock.engine_ended()
            if rest := rewriter.rest():
                await report(admission, guard)
                yield rest
            tokens = await counted(admission) if is_stopped else rewriter.tokens
            is_over = True
            await _bill(admission, tokens, finish_reason=rewriter.finish_reason, clock=clock)
            clock.tell(admission.served, tokens, is_one=admission.is_one)
            keep(admission, record)
            if is_stopped and tokens and admission.wants_usage:
                yield event(rewriter.usage_chunk(tokens))
            yield DONE
        else:
            reason, told = "error", rewriter.error or BROKEN_ERROR
            count_broken(str(told.get("code") or "server_error"))
            yield event({"error": {"param": None, **told, "message": _named(told.get("message"), admission)}})
    finally:
        if not is_over:
            await _bill_seen(admission, rewriter, reason=reason, clock=clock)
