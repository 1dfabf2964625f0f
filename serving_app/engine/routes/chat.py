"""POST /v1/chat/completions."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from serving_app.engine.grammar import Grammar
from serving_app.engine.params import TokenLogprob
from serving_app.engine.protocol.bodies import Envelope, chat_choice, chat_delta, sse, usage_body
from serving_app.engine.protocol.chat_request import ChatRequest, read_chat_request
from serving_app.engine.protocol.format_fields import SCHEMA_AT
from serving_app.engine.protocol.logprob_bodies import Spell, chat_logprobs
from serving_app.engine.registry import ServedModel
from serving_app.engine.requests import Closed, Delta, Prompt
from serving_app.engine.routes.answering import check_length, envelope, stream, tokenized, whole
from serving_app.engine.routes.wire import ENGINE, attempt_id, read_json


async def chat_completions(request: web.Request) -> web.StreamResponse:
    """Answer a conversation, whole or streamed."""
    engine = request.app[ENGINE]
    attempt = attempt_id(request)
    engine.check_open(attempt)
    asked = read_chat_request(await read_json(request))
    served = engine.models.find(asked.model)
    codec = served.loaded.codec
    prompts = await tokenized(lambda: [codec.encode_chat(asked.messages)])
    max_tokens = check_length(served, prompts, max_tokens=asked.max_tokens, param="messages")
    params = asked.sampling.params(max_tokens=max_tokens, logprobs=asked.logprobs, vocabulary=served.loaded.vocabulary)
    grammar = await _grammar(served, asked)
    shape = ChatShape(asked, envelope(served, "chatcmpl"), codec.spell)
    prompt = Prompt(prompts[0], asked.choices)
    async with engine.run(
        served, [prompt], params=params, attempt_id=attempt, streams=asked.streaming.on, grammar=grammar
    ) as events:
        if asked.streaming.on:
            return await stream(
                request, events, attempt_id=attempt, opening=shape.opening(), render=shape.piece, closing=shape.closing
            )
        deltas, closed = await whole(events)
        return web.json_response(shape.whole(deltas, closed), headers={"x-request-id": attempt})


async def _grammar(served: ServedModel, asked: ChatRequest) -> Grammar | None:
    schema = asked.schema
    if schema is None:
        return None
    return await tokenized(lambda: served.loaded.grammars.of_schema(schema, param=SCHEMA_AT))


class ChatShape:
    """Bodies of one chat answer."""

    def __init__(self, asked: ChatRequest, head: Envelope, spell: Spell) -> None:
        self._asked = asked
        self._head = head
        self._spell = spell

    def whole(self, deltas: dict[int, Delta], closed: Closed) -> dict[str, Any]:
        """A `chat.completion`."""
        choices = [
            chat_choice(
                index,
                text=deltas[index].text,
                finish_reason=deltas[index].finish_reason,
                logprobs=self._logprobs(deltas[index].logprobs),
            )
            for index in range(self._asked.choices)
        ]
        return self._head.chat(choices, closed.usage)

    def opening(self) -> bytes:
        """Each choice's first delta carries the role."""
        first = {"role": "assistant", "content": "", "refusal": None}
        return b"".join(
            self._chunk([chat_delta(index, first, finish_reason=None, logprobs=None)])
            for index in range(self._asked.choices)
        )

    def piece(self, delta: Delta) -> bytes:
        """New text, and an empty delta with the finish reason when the choice is over."""
        chunks = b""
        if delta.text or delta.logprobs:
            logprobs = self._logprobs(delta.logprobs)
            chunks = self._chunk(
                [chat_delta(delta.choice, {"content": delta.text}, finish_reason=None, logprobs=logprobs)]
            )
        if delta.finish_reason is not None:
            chunks += self._chunk([chat_delta(delta.choice, {}, finish_reason=delta.finish_reason, logprobs=None)])
        return chunks

    def closing(self, closed: Closed) -> bytes:
        """The usage chunk, where asked for."""
        if not self._asked.streaming.include_usage:
            return b""
        return sse({**self._head.chat_chunk([]), "usage": usage_body(closed.usage)})

    def _chunk(self, choices: list[dict[str, Any]]) -> bytes:
        body = self._head.chat_chunk(choices)
        return sse({**body, "usage": None} if self._asked.streaming.include_usage else body)

    def _logprobs(self, entries: tuple[TokenLogprob, ...]) -> dict[str, Any] | None:
        return None if self._asked.logprobs is None else chat_logprobs(entries, self._spell)
