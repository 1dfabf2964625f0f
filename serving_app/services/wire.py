"""Bodies and events on their way through: the engine's names out, the caller's names in. Pure; it knows no sockets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from serving_app.guardrails.answers import AnswerGuard
from serving_app.guardrails.record import Record
from serving_app.prices import Tokens

DONE = b"data: [DONE]\n\n"
RUNNING = re.compile(rb'\{(?:"[a-z_]+":\d+,?)+\}')
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


def to_engine(body: Mapping[str, Any], *, engine_name: str, cache_salt: str = "") -> dict[str, Any]:
    """The body for the engine. A stream always tells its usage at the end: the ledger needs it. `cache_salt`, for vLLM
    alone, is its name for those who may share computed prefixes; vLLM also tells its usage with each piece, since nobody
    else knows it when the caller goes away.
    """
    sent = {**body, "model": engine_name}
    if cache_salt:
        sent["cache_salt"] = cache_salt
    if body.get("stream") is True:
        options = body.get("stream_options")
        if options is None or isinstance(options, dict):  # what is neither, the engine refuses
            sent["stream_options"] = {**(options or {}), "include_usage": True}
            if cache_salt:
                sent["stream_options"]["continuous_usage_stats"] = True
    return sent


def tokens_in(usage: Any) -> Tokens | None:
    """The counts of a `usage` object, or None when it is not there."""
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return Tokens(
        prompt=int(usage.get("prompt_tokens") or 0),
        completion=int(usage.get("completion_tokens") or 0),
        cached=int(cached or 0),
    )


def without_cached(body: dict[str, Any]) -> dict[str, Any]:
    """A body whose usage does not tell how much of the prompt the engine had computed already: where prompts of several
    workspaces share prefixes, that would say what others have asked.
    """
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return body
    return {**body, "usage": {name: usage[name] for name in COUNTS if name in usage}}


def finish_reason_in(body: Mapping[str, Any]) -> str:
    """The reason of the first choice that has one."""
    reasons = (choice.get("finish_reason") for choice in body.get("choices") or [] if isinstance(choice, dict))
    return next((str(reason) for reason in reasons if reason), "")


def _has_text(body: Mapping[str, Any]) -> bool:
    choices = [choice for choice in body.get("choices") or [] if isinstance(choice, dict)]
    deltas = [choice.get("delta") or {} for choice in choices]
    return any(choice.get("text") for choice in choices) or any(
        value for delta in deltas for name, value in delta.items() if name != "role"
    )


def event(body: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _is_plain(block: bytes) -> bool:
    """Whether a piece says nothing that the ledger needs, so that it need not be read. Quotes inside of JSON's texts have
    a backslash before them: what is looked for is found among the keys alone.
    """
    return (
        block.count(b'"finish_reason":') == block.count(b'"finish_reason":null') > 0
        and block.count(b'"usage":') == block.count(b',"usage":null')
        and b'"error":' not in block
        and b"\n" not in block
    )


class Rewriter:
    """Turns the engine's stream into the caller's, piece by piece, and remembers what the ledger needs."""

    def __init__(
        self,
        *,
        engine_name: str,
        called: str,
        answer_id: str,
        wants_usage: bool,
        tells_cached: bool = True,
        hides_running: bool = False,
        guard: AnswerGuard | None = None,
        record: Record | None = None,
    ) -> None:
        self.tokens: Tokens | None = None
        self.pieces = 0
        self.finish_reason = ""
        self.has_text = False
        self.done = False
        self.error: dict[str, Any] | None = None
        self._names = tuple(json.dumps(name, ensure_ascii=False).encode() for name in (engine_name, called))
        self._called, self._answer_id = called, answer_id
        self._wants_usage, self._tells_cached, self._hides_running = wants_usage, tells_cached, hides_running
        self._running = b""
        self._guard, self._record = guard, record
        self._left = b""
        self._head = self._new_head = b""
        self._last: dict[str, Any] = {}

    @property
    def complete(self) -> bool:
        """Whether the answer came to its end. Not every server says so by `[DONE]`: reason and usage say it, too."""
        return self.error is None and (self.done or bool(self.finish_reason and self.tokens))

    @property
    def counted(self) -> Tokens | None:
        """The last count that the engine told."""
        return tokens_in(json.loads(self._running)) if self._running else self.tokens

    def feed(self, data: bytes) -> bytes:
        """The caller's bytes for the engine's bytes. The end mark is kept back, so that the bill comes before it."""
        *whole, self._left = (self._left + data).replace(b"\r\n", b"\n").split(b"\n\n")
        return b"".join([self._block(block) for block in whole])

    def rest(self) -> bytes:
        """What rules still held back, once the answer is complete: not every server says why an answer ended."""
        last = {**self._last, "usage": None} if "usage" in self._last else self._last
        return self._out(self._guard.rest(last)) if self._guard and self.complete else b""

    def usage_chunk(self, tokens: Tokens) -> dict[str, Any]:
        """The last chunk of a stream that was stopped before the engine told its usage."""
        usage = {
            "prompt_tokens": tokens.prompt,
            "completion_tokens": tokens.completion,
            "total_tokens": tokens.prompt + tokens.completion,
            "prompt_tokens_details": {"cached_tokens": tokens.cached},
        }
        return {**self._last, "choices": [], "usage": usage}

    def _block(self, block: bytes) -> bytes:
        if self._head and block.startswith(self._head):
            rest = self._without_running(block[len(self._head) :])
            if _is_plain(rest):
                self.pieces += 1
                return self._new_head + self._without_usage(rest) + b"\n\n"
        if not block.startswith(b"data:"):
            return block + b"\n\n" if block.startswith(b":") else b""  # a sign of life while the caller waits
        payload = block[5:].strip()
        if payload == b"[DONE]":
            self.done = True
            return b""
        body = json.loads(payload)
        if body.get("error"):
            self.error = body["error"]
            return b""
        theirs = b'"id":' + json.dumps(body.get("id"), ensure_ascii=False).encode()
        written = self._chunk(body)
        self._learn(block, theirs)
        return written

    def _learn(self, block: bytes, theirs: bytes) -> None:
        """Once there is text: how the engine writes a piece up to its model's name, which is then replaced unread, and
        with it their id of the answer, which must stand before it. Where answers are watched or kept, every piece is read.
        """
        if self._guard or self._record:
            return
        head, name, _ = block.partition(self._names[0])
        if self.has_text and not self._head and name and head.endswith(b'"model":') and theirs in head:
            ours = b'"id":' + json.dumps(self._answer_id).encode()
            self._head, self._new_head = head + name, head.replace(theirs, ours, 1) + self._names[1]

    def _without_running(self, rest: bytes) -> bytes:
        """A piece without the count that it carries because the ledger asked for it; the count is kept as it is."""
        at = rest.rfind(b',"usage":{') if self._hides_running else -1
        if at < 0 or not RUNNING.fullmatch(rest[at + 9 : -1]):
            return rest
        self._running = rest[at + 9 : -1]
        return rest[:at] + b',"usage":null}'

    def _without_usage(self, rest: bytes) -> bytes:
        return rest if self._wants_usage else rest.replace(b',"usage":null', b"")

    def _chunk(self, body: dict[str, Any]) -> bytes:
        if not self._tells_cached:
            body = without_cached(body)
        told, has_text = tokens_in(body.get("usage")), _has_text(body)
        if told:
            self.tokens, self._running = told, b""
        if told and self._hides_running and body.get("choices"):
            body["usage"] = None
        self.has_text = self.has_text or has_text
        self.pieces += has_text
        body["model"], body["id"] = self._called, self._answer_id
        if not self._wants_usage:
            body.pop("usage", None)
            if not body.get("choices"):
                return b""
        self._last = body
        return self._out(self._guard.chunks(body) if self._guard else (body,))

    def _out(self, chunks: Iterable[dict[str, Any]]) -> bytes:
        written = []
        for chunk in chunks:
            self.finish_reason = finish_reason_in(chunk) or self.finish_reason
            if self._record:
                self._record.add(chunk)
            written.append(event(chunk))
        return b"".join(written)
