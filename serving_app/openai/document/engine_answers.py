"""Bodies of answers that engines give and the gateway passes on.

Ours sends these fields; other servers that speak OpenAI's format may send more, so the objects are open.
"""

from __future__ import annotations

from serving_app.openai.document.shapes import (
    ID,
    SECONDS,
    Schema,
    a_list,
    any_of,
    exact,
    number,
    one_of,
    or_null,
    ref,
    text,
    whole,
)

COUNT = whole(0)
TEXT_REASONS = ("stop", "length", "content_filter")
REASONS = (*TEXT_REASONS, "tool_calls")
# In streams whose `stream_options` ask for it: null, and in one more chunk without choices the whole.
LAST_USAGE = {"usage": or_null(ref("Usage"))}


def _head(kind: str) -> dict[str, Schema]:
    return {"id": ID, "object": one_of([kind]), "created": SECONDS, "model": ID}


def _open(fields: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    found = exact(fields, closed=False)
    return {**found, "properties": {**found["properties"], **(optional or {})}}


def _chat_logprobs() -> Schema:
    alternative = _open({"token": text(), "logprob": number(), "bytes": or_null(a_list(whole(0, 255)))})
    token = _open({**alternative["properties"], "top_logprobs": a_list(alternative)})
    return or_null(_open({"content": or_null(a_list(token)), "refusal": or_null(a_list(token))}))


def _chat() -> Schema:
    message = _open(
        {"role": one_of(["assistant"]), "content": or_null(text())},
        {"refusal": or_null(text()), "tool_calls": or_null(a_list(ref("ToolCall")))},
    )
    choice = _open(
        {"index": COUNT, "message": message, "finish_reason": one_of(REASONS)}, {"logprobs": _chat_logprobs()}
    )
    return _open({**_head("chat.completion"), "choices": a_list(choice, least=1), "usage": ref("Usage")})


def _chat_chunk() -> Schema:
    function = _open({"arguments": text()}, {"name": text()})
    call = _open({"index": COUNT, "function": function}, {"id": ID, "type": one_of(["function"])})
    delta = _open({}, {"role": one_of(["assistant"]), "content": or_null(text()), "refusal": or_null(text())})
    delta["properties"]["tool_calls"] = or_null(a_list(call))
    choice = _open(
        {"index": COUNT, "delta": delta, "finish_reason": or_null(one_of(REASONS))}, {"logprobs": _chat_logprobs()}
    )
    return _open({**_head("chat.completion.chunk"), "choices": a_list(choice)}, LAST_USAGE)


def _text_choice(reason: Schema) -> Schema:
    by_token = {"type": "object", "additionalProperties": number()}
    logprobs = _open(
        {
            "tokens": a_list(text()),
            "token_logprobs": a_list(or_null(number())),
            "top_logprobs": or_null(a_list(or_null(by_token))),
            "text_offset": a_list(COUNT),
        }
    )
    return _open({"index": COUNT, "text": text(), "finish_reason": reason}, {"logprobs": or_null(logprobs)})


def _text() -> Schema:
    choices = a_list(_text_choice(one_of(TEXT_REASONS)), least=1)
    return _open({**_head("text_completion"), "choices": choices, "usage": ref("Usage")})


def _text_chunk() -> Schema:
    choices = a_list(_text_choice(or_null(one_of(TEXT_REASONS))))
    return _open({**_head("text_completion"), "choices": choices}, LAST_USAGE)


def _embeddings() -> Schema:
    vector = any_of(a_list(number()), text(about="base64 of little-endian float32."))
    each = _open({"object": one_of(["embedding"]), "index": COUNT, "embedding": vector})
    usage = _open({"prompt_tokens": COUNT, "total_tokens": COUNT})
    return _open({"object": one_of(["list"]), "data": a_list(each, least=1), "model": ID, "usage": usage})


def schemas() -> dict[str, Schema]:
    """The components that these answers are made of."""
    cached = _open({}, {"cached_tokens": or_null(COUNT)})
    usage = _open(
        {"prompt_tokens": COUNT, "completion_tokens": COUNT, "total_tokens": COUNT},
        {"prompt_tokens_details": or_null(cached)},
    )
    return {
        "Usage": usage,
        "ChatCompletion": _chat(),
        "ChatChunk": _chat_chunk(),
        "Completion": _text(),
        "CompletionChunk": _text_chunk(),
        "Embeddings": _embeddings(),
    }
