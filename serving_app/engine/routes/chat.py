"""POST /v1/chat/completions."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from serving_app.engine.codec import TextCodec
from serving_app.engine.errors import EngineError, unsupported
from serving_app.engine.grammar import Grammar
from serving_app.engine.protocol.chat_request import ChatRequest, read_chat_request
from serving_app.engine.protocol.format_fields import SCHEMA_AT
from serving_app.engine.registry import ServedModel
from serving_app.engine.requests import Prompt
from serving_app.engine.routes.answering import check_length, envelope, rendered, stream, tokenized, whole
from serving_app.engine.routes.chat_shape import ChatShape
from serving_app.engine.routes.wire import ENGINE, attempt_id, cache_scope, read_json


async def chat_completions(request: web.Request) -> web.StreamResponse:
    """Answer a conversation, whole or streamed."""
    engine = request.app[ENGINE]
    attempt, scope = attempt_id(request), cache_scope(request)
    engine.check_open(attempt)
    asked = read_chat_request(await read_json(request))
    served = engine.models.find(asked.model)
    codec = served.loaded.codec
    _check_tools(codec, asked)
    shown = asked.tools.shown if asked.tools is not None and asked.functions else None
    written = await rendered(served.name, lambda: codec.write_chat(asked.messages, shown))
    prompts = await tokenized(lambda: [codec.encode_chat(written)])
    max_tokens = check_length(served, prompts, max_tokens=asked.max_tokens, param="messages")
    params = asked.sampling.params(max_tokens=max_tokens, logprobs=asked.logprobs, vocabulary=served.loaded.vocabulary)
    syntax = codec.calls if asked.functions else None
    if syntax is not None:
        params = replace(params, stop_until=syntax.mark, stop_unless="{" if syntax.is_bare else "")
    grammar = await tokenized(lambda: _grammar(served, asked))
    shape = ChatShape(asked, envelope(served, "chatcmpl", attempt), codec.spell, syntax)
    prompt = Prompt(prompts[0], asked.choices)
    async with engine.run(
        served, [prompt], params=params, attempt_id=attempt, streams=asked.streaming.on, scope=scope, grammar=grammar
    ) as events:
        if asked.streaming.on:
            return await stream(
                request, events, attempt_id=attempt, opening=shape.opening(), render=shape.piece, closing=shape.closing
            )
        deltas, closed = await whole(events)
        return web.json_response(shape.whole(deltas, closed), headers={"x-request-id": attempt})


def _check_tools(codec: TextCodec, asked: ChatRequest) -> None:
    """Errors: 400 where calls are asked for, or shown, that the model's template has no words for."""
    if codec.calls is not None:
        if codec.calls.is_bare and asked.functions and asked.schema is not None:
            raise unsupported("response_format", "this model writes function calls as bare JSON, like such an answer")
        return
    if asked.tools is not None:
        raise unsupported("tools", "this model's chat template has no function calls that the engine can read")
    if asked.calls_before is not None:
        param = f"messages[{asked.calls_before}]"
        raise EngineError(
            f"'{param}' has to do with a function call, which this model's chat template has no words for.",
            param=param,
            code="unsupported_parameter",
        )


def _grammar(served: ServedModel, asked: ChatRequest) -> Grammar | None:
    if asked.tools is not None and asked.functions:
        return served.loaded.grammars.of_calls(served.loaded.codec, asked.tools, answer=asked.schema)
    return None if asked.schema is None else served.loaded.grammars.of_schema(asked.schema, param=SCHEMA_AT)
