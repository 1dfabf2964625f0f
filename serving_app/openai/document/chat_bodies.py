"""Bodies of chat requests: the schema of what `engine/protocol` reads, with its own bounds and tables."""

from __future__ import annotations

from serving_app.engine.protocol import chat_request, format_fields, message_fields, sampling_fields, tool_fields
from serving_app.engine.protocol.chat_request import DEFAULT_ONLY
from serving_app.engine.protocol.message_fields import EMPTY, NOTHING, TEXT_PARTS
from serving_app.openai.document.shapes import (
    Schema,
    a_list,
    an_object,
    any_of,
    described,
    flag,
    number,
    one_of,
    or_null,
    ref,
    text,
    texts_by_name,
    whole,
)

MODEL = text(least=1, about="A name that GET /models lists: of a base model, a fine-tune or a deployment.")
FUNCTION = one_of(["function"])
NO_SCHEMA: Schema = {"type": "object", "maxProperties": 0}
OBJECT_SCHEMA: Schema = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"const": "object"}},
    "description": "A JSON Schema of an object.",
}


def _name(module: object) -> Schema:
    return {"type": "string", "pattern": f"^{module.NAME.pattern}$"}  # type: ignore[attr-defined]


def sampling() -> dict[str, Schema]:
    """Fields that chat and text completions share."""
    most = sampling_fields
    stop = text(least=1, most=most.LONGEST_STOP)
    bias: Schema = {
        "type": "object",
        "maxProperties": most.MOST_BIASES,
        "propertyNames": {"pattern": f"^[0-9]{{1,{most.LONGEST_TOKEN_ID}}}$"},
        "additionalProperties": number(-100, 100),
        "description": "Token ids, and what is added to their logits.",
    }
    return {
        "temperature": number(0, 2),
        "top_p": number(0, 1),
        "frequency_penalty": number(-2, 2),
        "presence_penalty": number(-2, 2),
        "logit_bias": bias,
        "seed": whole(-most.SEED_BOUND, most.SEED_BOUND - 1),
        "stop": any_of(stop, a_list(stop, most=most.MOST_STOPS)),
        "n": whole(1, most.MOST_CHOICES),
        "stream": flag("Server-sent events instead of one body."),
        "stream_options": described(
            an_object({}, {"include_usage": flag(), "include_obfuscation": flag()}), "Only where `stream` is true."
        ),
    }


def store() -> Schema:
    """What the gateway makes of it; engines never see it."""
    return or_null(
        flag("False: no text of this request is kept. True: only where the workspace keeps texts, else a 400.")
    )


def labels() -> dict[str, Schema]:
    """The caller's own words about a request: checked, and of no consequence for the answer."""
    most = sampling_fields
    found = {name: text(most=most.LONGEST_LABEL) for name in most.LABELS}
    return {**found, "metadata": texts_by_name(most=most.MOST_METADATA, longest=most.LONGEST_LABEL)}


def _content() -> Schema:
    parts = [an_object({"type": one_of([kind]), name: text()}) for kind, name in TEXT_PARTS.items()]
    return any_of(text(), a_list(any_of(*parts), least=1))


def _messages() -> list[Schema]:
    empty = {name: one_of(NOTHING, "Only what is empty can be read back.") for name in EMPTY}
    common = {"name": text(), **empty}
    calls = a_list(ref("ToolCall"))
    told = [role for role in message_fields.ROLES if role not in ("assistant", "tool")]
    return [
        an_object({"role": one_of(told), "content": _content()}, common),
        an_object({"role": one_of(["assistant"]), "content": _content()}, {**common, "tool_calls": calls}),
        an_object(
            {"role": one_of(["assistant"]), "tool_calls": {**calls, "minItems": 1}}, {**common, "content": _content()}
        ),
        an_object({"role": one_of(["tool"]), "content": _content(), "tool_call_id": text(least=1)}, common),
    ]


def _format() -> Schema:
    schema = an_object(
        {"name": _name(format_fields), "schema": {"type": "object", "description": "A JSON Schema."}},
        {"description": text(), "strict": flag()},
    )
    plain = an_object({"type": one_of([kind for kind in format_fields.KINDS if kind != "json_schema"])})
    return any_of(plain, an_object({"type": one_of(["json_schema"]), "json_schema": schema}))


def _tool() -> Schema:
    parameters = any_of(OBJECT_SCHEMA, NO_SCHEMA)
    function = an_object(
        {"name": _name(tool_fields)}, {"description": text(), "strict": flag(), "parameters": parameters}
    )
    return an_object({"type": FUNCTION, "function": function})


def _choice() -> Schema:
    named = an_object({"type": FUNCTION, "function": an_object({"name": _name(tool_fields)})})
    allowed = an_object({"mode": one_of(["auto", "required"]), "tools": a_list(named, least=1)})
    return any_of(
        one_of(tool_fields.MODES), named, an_object({"type": one_of(["allowed_tools"]), "allowed_tools": allowed})
    )


def schemas() -> dict[str, Schema]:
    """The components that a chat request is made of."""
    tokens = whole(1, sampling_fields.MOST_TOKENS)
    optional: dict[str, Schema] = {
        **sampling(),
        "max_completion_tokens": tokens,
        "max_tokens": described(tokens, "The older name; the newer one goes first."),
        "logprobs": flag(),
        "top_logprobs": whole(0, 20, about="Only where `logprobs` is true."),
        "response_format": _format(),
        "tools": a_list(_tool(), most=tool_fields.MOST_TOOLS),
        "tool_choice": _choice(),
        "parallel_tool_calls": flag("Only where `tools` are given."),
        **labels(),
        **{name: or_null(one_of(values, chat_request.REASON)) for name, values in DEFAULT_ONLY.items()},
        "store": store(),
    }
    call = an_object(
        {
            "id": text(least=1, most=message_fields.LONGEST_ID),
            "type": FUNCTION,
            "function": an_object(
                {"name": _name(tool_fields), "arguments": text(least=1, about="A JSON object, spelled out.")}
            ),
        }
    )
    return {
        "ToolCall": call,
        "ChatMessage": any_of(*_messages()),
        "ChatRequest": an_object({"model": MODEL, "messages": a_list(ref("ChatMessage"), least=1)}, optional),
    }
