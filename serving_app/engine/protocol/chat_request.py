"""A chat completion request, read strictly. What cannot be honoured is refused with its field's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from serving_app.engine.errors import invalid, unsupported
from serving_app.engine.protocol.fields import Fields
from serving_app.engine.protocol.format_fields import read_format
from serving_app.engine.protocol.sampling_fields import (
    MOST_CHOICES,
    MOST_TOKENS,
    SamplingFields,
    Streaming,
    read_labels,
    read_sampling,
    read_streaming,
)

ROLES = {"developer": "system", "system": "system", "user": "user", "assistant": "assistant"}
TEXT_PARTS = {"text": "text", "refusal": "refusal"}
DEFAULT_ONLY: dict[str, tuple[Any, ...]] = {
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "parallel_tool_calls": (),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "web_search_options": (),
    "moderation": (),
    "store": (False,),
    "service_tier": ("auto", "default"),
    "reasoning_effort": ("none",),
    "verbosity": ("medium",),
    "prompt_cache_retention": ("in_memory", "in-memory"),
    "prompt_cache_options": (),
}
REASON = "this engine writes plain text from text"


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What was asked. `max_tokens` None: as many as fit; `logprobs` None: none, else the number of alternatives;
    `schema` None: plain text, else what the answer must fit."""

    model: str
    messages: list[dict[str, Any]]
    sampling: SamplingFields
    streaming: Streaming
    max_tokens: int | None
    choices: int
    logprobs: int | None
    schema: dict[str, Any] | None


def read_chat_request(body: object) -> ChatRequest:
    """Read the body of `POST /v1/chat/completions`. Errors: 400 with `param`."""
    fields = Fields(body)
    model = fields.need_text("model")
    messages = _read_messages(fields.take("messages"))
    newer = fields.integer("max_completion_tokens", low=1, high=MOST_TOKENS)
    older = fields.integer("max_tokens", low=1, high=MOST_TOKENS)
    request = ChatRequest(
        model=model,
        messages=messages,
        sampling=read_sampling(fields),
        streaming=read_streaming(fields),
        max_tokens=newer if newer is not None else older,
        choices=fields.integer("n", low=1, high=MOST_CHOICES) or 1,
        logprobs=_read_logprobs(fields),
        schema=read_format(fields),
    )
    fields.allow_only(DEFAULT_ONLY, reason=REASON)
    read_labels(fields)
    fields.finish()
    return request


def _read_logprobs(fields: Fields) -> int | None:
    wanted = fields.flag("logprobs")
    top = fields.integer("top_logprobs", low=0, high=20)
    if top is not None and not wanted:
        raise invalid("'top_logprobs' needs 'logprobs' to be true.", param="top_logprobs")
    return (top or 0) if wanted else None


def _read_messages(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise invalid("'messages' must be a list with at least one message.", param="messages")
    return [_read_message(message, f"messages[{at}]") for at, message in enumerate(value)]


def _read_message(value: object, path: str) -> dict[str, Any]:
    """One message as chat templates want it: a role and a text. `developer` is the newer word for `system`."""
    fields = Fields(value, path=path)
    role = fields.text("role")
    if role in ("tool", "function"):
        raise unsupported(f"{path}.role", "tool calls are not made here")
    if role not in ROLES:
        raise invalid(f"'{path}.role' must be one of {', '.join(ROLES)}.", param=f"{path}.role")
    message = {"role": ROLES[role], "content": _read_content(fields.take("content"), f"{path}.content")}
    name = fields.text("name")
    if name is not None:
        message["name"] = name
    for empty in ("refusal", "tool_calls", "function_call", "audio", "annotations", "reasoning", "reasoning_content"):
        if fields.take(empty):
            raise unsupported(f"{path}.{empty}", "only text can be read back")
    fields.finish()
    return message


def _read_content(value: object, path: str) -> str:
    """Text as it is, or the texts of text parts joined."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        raise invalid(f"'{path}' must be a string or a list of text parts.", param=path)
    return "".join(_read_part(part, f"{path}[{at}]") for at, part in enumerate(value))


def _read_part(value: object, path: str) -> str:
    fields = Fields(value, path=path)
    kind = fields.text("type")
    if kind not in TEXT_PARTS:
        raise unsupported(f"{path}.type", "only text parts can be read")
    name = TEXT_PARTS[kind]
    text = fields.text(name)
    if text is None:
        raise invalid(f"'{fields.at(name)}' is required.", param=fields.at(name), code="missing_required_parameter")
    fields.finish()
    return text
