"""A chat completion request, read strictly. What cannot be honoured is refused with its field's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from serving_app.engine.errors import invalid, unsupported
from serving_app.engine.protocol.fields import Fields
from serving_app.engine.protocol.format_fields import read_format
from serving_app.engine.protocol.message_fields import read_messages
from serving_app.engine.protocol.sampling_fields import (
    MOST_CHOICES,
    MOST_TOKENS,
    SamplingFields,
    Streaming,
    read_labels,
    read_sampling,
    read_streaming,
)
from serving_app.engine.protocol.tool_fields import ToolWish, read_tools

DEFAULT_ONLY: dict[str, tuple[Any, ...]] = {
    "functions": ([],),
    "function_call": ("none", "auto"),
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
    `schema` None: plain text, else what the answer must fit; `tools` None: none were sent."""

    model: str
    messages: list[dict[str, Any]]
    sampling: SamplingFields
    streaming: Streaming
    max_tokens: int | None
    choices: int
    logprobs: int | None
    schema: dict[str, Any] | None
    tools: ToolWish | None

    @property
    def functions(self) -> bool:
        """Whether a function may be called in the answer."""
        return self.tools is not None and bool(self.tools.functions)

    @property
    def calls_before(self) -> int | None:
        """The first message that holds a call or a call's result."""
        found = (at for at, each in enumerate(self.messages) if each["role"] == "tool" or "tool_calls" in each)
        return next(found, None)


def read_chat_request(body: object) -> ChatRequest:
    """Read the body of `POST /v1/chat/completions`. Errors: 400 with `param`."""
    fields = Fields(body)
    model = fields.need_text("model")
    messages = read_messages(fields.take("messages"))
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
        tools=read_tools(fields),
    )
    if request.functions and request.logprobs is not None:
        raise unsupported("logprobs", "they are not given where tools may be called")
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
