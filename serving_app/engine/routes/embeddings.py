"""POST /v1/embeddings."""

from __future__ import annotations

import base64
import struct
from typing import Any

from aiohttp import web

from serving_app.engine.codec import TextCodec
from serving_app.engine.errors import EngineError, invalid
from serving_app.engine.protocol.embedding_request import (
    MOST_TOGETHER,
    EmbeddingRequest,
    Input,
    read_embedding_request,
)
from serving_app.engine.registry import ServedModel
from serving_app.engine.routes.answering import failure, tokenized
from serving_app.engine.routes.wire import ENGINE, attempt_id, read_json


async def embeddings(request: web.Request) -> web.Response:
    """A vector for each text."""
    engine = request.app[ENGINE]
    attempt = attempt_id(request)
    engine.check_open(attempt)
    asked = read_embedding_request(await read_json(request))
    served = engine.models.find(asked.model)
    _check_dimensions(served, asked.dimensions)
    codec = served.loaded.codec
    prompts = await tokenized(lambda: [_encode(codec, each) for each in asked.inputs])
    _check_lengths(served, prompts)
    async with engine.embed(served, prompts, attempt_id=attempt) as (work, events):
        closed = await events.get()
        if closed.problem is not None:
            raise failure(closed)
        body = _body(asked, served.name, work.vectors, closed.usage.prompt_tokens)
        return web.json_response(body, headers={"x-request-id": attempt})


def _check_dimensions(served: ServedModel, wanted: int | None) -> None:
    """Cutting a vector short would keep a part of the meaning that nobody has trained to stand alone."""
    size = served.loaded.model.config.get_text_config().hidden_size
    if wanted not in (None, size):
        raise invalid(
            f"This model's vectors have {size} dimensions, and they are not cut. Leave 'dimensions' out.",
            param="dimensions",
            code="unsupported_value",
        )


def _check_lengths(served: ServedModel, prompts: list[list[int]]) -> None:
    context, vocabulary = served.loaded.context, served.loaded.vocabulary
    for at, prompt in enumerate(prompts):
        if not prompt:
            raise invalid(f"Input {at} is empty.", param="input")
        if len(prompt) > context:
            raise EngineError(
                f"This model's context is {context} tokens; input {at} has {len(prompt)}. Shorten it, or cut it.",
                param="input",
                code="context_length_exceeded",
            )
        if max(prompt) >= vocabulary:
            raise invalid(f"Input {at} holds token ids that this model lacks.", param="input")
    if sum(map(len, prompts)) > MOST_TOGETHER:
        raise invalid(f"All of 'input' may have at most {MOST_TOGETHER:,} tokens.", param="input")


def _encode(codec: TextCodec, each: Input) -> list[int]:
    return codec.encode_text(each) if isinstance(each, str) else each


def _body(asked: EmbeddingRequest, name: str, vectors: list[list[float]], tokens: int) -> dict[str, Any]:
    data = [
        {"object": "embedding", "index": at, "embedding": _packed(vector) if asked.base64 else vector}
        for at, vector in enumerate(vectors)
    ]
    return {
        "object": "list",
        "data": data,
        "model": name,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _packed(vector: list[float]) -> str:
    """Little-endian float32, as OpenAI's clients unpack it."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
