"""Bodies of answers, field by field as OpenAI's own types want them. Knows no sockets and no models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from serving_app.engine.requests import Usage


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all bodies and chunks of one answer share. `created` is in Unix seconds."""

    answer_id: str
    created: int
    model: str
    fingerprint: str | None

    def chat(self, choices: list[dict[str, Any]], usage: Usage) -> dict[str, Any]:
        """A whole chat completion."""
        return {**self._head("chat.completion"), "choices": choices, "usage": usage_body(usage)}

    def chat_chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """One streamed piece of a chat completion."""
        return {**self._head("chat.completion.chunk"), "choices": choices}

    def text(self, choices: list[dict[str, Any]], usage: Usage | None) -> dict[str, Any]:
        """A text completion, whole or a piece of it: OpenAI gives both the same name."""
        body = {**self._head("text_completion"), "choices": choices}
        return body if usage is None else {**body, "usage": usage_body(usage)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.answer_id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }


def usage_body(usage: Usage) -> dict[str, Any]:
    """Usage in OpenAI's words; the end-of-sequence token is among the completion tokens."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def chat_choice(
    index: int,
    *,
    text: str,
    finish_reason: str | None,
    logprobs: dict[str, Any] | None,
    calls: list[dict[str, Any]],
) -> dict[str, Any]:
    """One choice of a whole chat completion; a choice of calls alone has no content."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if calls:
        message |= {"content": text or None, "tool_calls": calls}
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish_reason}


def chat_delta(
    index: int, delta: dict[str, Any], *, finish_reason: str | None, logprobs: dict[str, Any] | None
) -> dict[str, Any]:
    """One choice of a chat chunk."""
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}


def calls_body(calls: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Whole function calls: id, name, and the text that spells the arguments."""
    return [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in calls
    ]


def call_delta(index: int, arguments: str, *, call_id: str | None, name: str | None) -> dict[str, Any]:
    """New characters of a call's arguments; its first piece tells id and name."""
    call: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if call_id is not None:
        call = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"tool_calls": [call]}


def text_choice(index: int, *, text: str, finish_reason: str | None, logprobs: dict[str, Any] | None) -> dict[str, Any]:
    """One choice of a text completion or of one of its chunks."""
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish_reason}


def sse(body: dict[str, Any]) -> bytes:
    """A server-sent event with a JSON body."""
    return b"data: " + json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


SSE_DONE = b"data: [DONE]\n\n"
SSE_PING = b": waiting\n\n"
