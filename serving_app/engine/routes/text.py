"""POST /v1/completions."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from serving_app.engine.codec import TextCodec
from serving_app.engine.params import TokenLogprob
from serving_app.engine.protocol.bodies import Envelope, sse, text_choice
from serving_app.engine.protocol.logprob_bodies import Spell, text_logprobs
from serving_app.engine.protocol.text_request import TextPrompt, TextRequest, read_text_request
from serving_app.engine.requests import Closed, Delta, Prompt
from serving_app.engine.routes.answering import check_length, envelope, stream, tokenized, whole
from serving_app.engine.routes.wire import ENGINE, attempt_id, cache_scope, read_json


async def text_completions(request: web.Request) -> web.StreamResponse:
    """Continue texts, whole or streamed."""
    engine = request.app[ENGINE]
    attempt, scope = attempt_id(request), cache_scope(request)
    engine.check_open(attempt)
    asked = read_text_request(await read_json(request))
    served = engine.models.find(asked.model)
    codec = served.loaded.codec
    tokens = await tokenized(lambda: [_encode(codec, prompt) for prompt in asked.prompts])
    max_tokens = check_length(served, tokens, max_tokens=asked.max_tokens, param="prompt")
    params = asked.sampling.params(max_tokens=max_tokens, logprobs=asked.logprobs, vocabulary=served.loaded.vocabulary)
    echoes = [_echo(codec, prompt) if asked.echo else "" for prompt in asked.prompts]
    shape = TextShape(asked, envelope(served, "cmpl", attempt), codec.spell, echoes)
    prompts = [Prompt(prompt, asked.choices) for prompt in tokens]
    async with engine.run(
        served, prompts, params=params, attempt_id=attempt, streams=asked.streaming.on, scope=scope
    ) as events:
        if asked.streaming.on:
            return await stream(
                request, events, attempt_id=attempt, opening=shape.opening(), render=shape.piece, closing=shape.closing
            )
        deltas, closed = await whole(events)
        return web.json_response(shape.whole(deltas, closed), headers={"x-request-id": attempt})


class TextShape:
    """Bodies of one text answer. Choice i belongs to prompt i // n."""

    def __init__(self, asked: TextRequest, head: Envelope, spell: Spell, echoes: list[str]) -> None:
        self._asked = asked
        self._head = head
        self._spell = spell
        self._lead = [echo for echo in echoes for _ in range(asked.choices)]
        self._offsets = [0] * len(self._lead)

    def whole(self, deltas: dict[int, Delta], closed: Closed) -> dict[str, Any]:
        """A `text_completion`."""
        choices = [
            text_choice(
                index,
                text=lead + deltas[index].text,
                finish_reason=deltas[index].finish_reason,
                logprobs=self._logprobs(index, deltas[index].logprobs),
            )
            for index, lead in enumerate(self._lead)
        ]
        return self._head.text(choices, closed.usage)

    def opening(self) -> bytes:
        """The prompts, where they are to be echoed."""
        return b"".join(
            self._chunk([text_choice(index, text=lead, finish_reason=None, logprobs=None)])
            for index, lead in enumerate(self._lead)
            if lead
        )

    def piece(self, delta: Delta) -> bytes:
        """New text with the finish reason, if any."""
        logprobs = self._logprobs(delta.choice, delta.logprobs)
        return self._chunk(
            [text_choice(delta.choice, text=delta.text, finish_reason=delta.finish_reason, logprobs=logprobs)]
        )

    def closing(self, closed: Closed) -> bytes:
        """The usage chunk, where asked for."""
        if not self._asked.streaming.include_usage:
            return b""
        return sse(self._head.text([], closed.usage))

    def _chunk(self, choices: list[dict[str, Any]]) -> bytes:
        body = self._head.text(choices, None)
        return sse({**body, "usage": None} if self._asked.streaming.include_usage else body)

    def _logprobs(self, index: int, entries: tuple[TokenLogprob, ...]) -> dict[str, Any] | None:
        if self._asked.logprobs is None:
            return None
        body = text_logprobs(entries, self._spell, offset=self._offsets[index])
        self._offsets[index] += sum(len(token) for token in body["tokens"])
        return body


def _encode(codec: TextCodec, prompt: TextPrompt) -> list[int]:
    return codec.encode_text(prompt) if isinstance(prompt, str) else prompt


def _echo(codec: TextCodec, prompt: TextPrompt) -> str:
    return prompt if isinstance(prompt, str) else codec.decode(prompt)
