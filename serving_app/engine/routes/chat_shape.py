"""Bodies and chunks of one chat answer. Knows no sockets and no engine."""

from __future__ import annotations

from typing import Any

from serving_app.engine.call_reader import CallPiece, CallReader
from serving_app.engine.call_syntax import CallSyntax
from serving_app.engine.params import TokenLogprob
from serving_app.engine.protocol.bodies import (
    Envelope,
    call_delta,
    calls_body,
    chat_choice,
    chat_delta,
    sse,
    usage_body,
)
from serving_app.engine.protocol.chat_request import ChatRequest
from serving_app.engine.protocol.logprob_bodies import Spell, chat_logprobs
from serving_app.engine.requests import Closed, Delta


class ChatShape:
    """One answer; `syntax` None: nothing may be called in it."""

    def __init__(self, asked: ChatRequest, head: Envelope, spell: Spell, syntax: CallSyntax | None) -> None:
        self._asked = asked
        self._head = head
        self._spell = spell
        self._readers = [CallReader(syntax) for _ in range(asked.choices)] if syntax is not None else []

    def whole(self, deltas: dict[int, Delta], closed: Closed) -> dict[str, Any]:
        """A `chat.completion`."""
        choices = [self._choice(deltas[index]) for index in range(self._asked.choices)]
        return self._head.chat(choices, closed.usage)

    def opening(self) -> bytes:
        """Each choice's first delta carries the role."""
        must = self._asked.tools is not None and self._asked.tools.must
        first = {"role": "assistant", "content": None if must else "", "refusal": None}
        return b"".join(
            self._chunk([chat_delta(index, first, finish_reason=None, logprobs=None)])
            for index in range(self._asked.choices)
        )

    def piece(self, delta: Delta) -> bytes:
        """New text, and an empty delta with the finish reason when the choice is over."""
        text, calls = self._read(delta)
        chunks = b""
        if text or delta.logprobs:
            logprobs = self._logprobs(delta.logprobs)
            chunks = self._chunk([chat_delta(delta.choice, {"content": text}, finish_reason=None, logprobs=logprobs)])
        for call in calls:
            named = call_delta(call.index, call.arguments, call_id=call.call_id, name=call.name)
            chunks += self._chunk([chat_delta(delta.choice, named, finish_reason=None, logprobs=None)])
        if delta.finish_reason is not None:
            chunks += self._chunk([chat_delta(delta.choice, {}, finish_reason=self._reason(delta), logprobs=None)])
        return chunks

    def closing(self, closed: Closed) -> bytes:
        """The usage chunk, where asked for."""
        if not self._asked.streaming.include_usage:
            return b""
        return sse({**self._head.chat_chunk([]), "usage": usage_body(closed.usage)})

    def _choice(self, delta: Delta) -> dict[str, Any]:
        text, pieces = self._read(delta)
        calls: list[tuple[str, str, str]] = []
        for piece in pieces:
            call_id, name, arguments = calls.pop() if piece.call_id is None else (piece.call_id, str(piece.name), "")
            calls.append((call_id, name, arguments + piece.arguments))
        return chat_choice(
            delta.choice,
            text=text,
            finish_reason=self._reason(delta),
            logprobs=self._logprobs(delta.logprobs),
            calls=calls_body(calls),
        )

    def _read(self, delta: Delta) -> tuple[str, list[CallPiece]]:
        """The delta's plain text and calls."""
        if not self._readers:
            return delta.text, []
        reader = self._readers[delta.choice]
        text, calls = reader.push(delta.text)
        return text + (reader.finish() if delta.finish_reason is not None else ""), calls

    def _reason(self, delta: Delta) -> str | None:
        """An answer that ended by itself and calls something waits for the results."""
        called = bool(self._readers) and self._readers[delta.choice].calls > 0
        return "tool_calls" if called and delta.finish_reason == "stop" else delta.finish_reason

    def _chunk(self, choices: list[dict[str, Any]]) -> bytes:
        body = self._head.chat_chunk(choices)
        return sse({**body, "usage": None} if self._asked.streaming.include_usage else body)

    def _logprobs(self, entries: tuple[TokenLogprob, ...]) -> dict[str, Any] | None:
        return None if self._asked.logprobs is None else chat_logprobs(entries, self._spell)
