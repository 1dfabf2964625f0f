"""A text completion request (OpenAI's older surface), read strictly."""

from __future__ import annotations

from dataclasses import dataclass

from serving_app.engine.errors import invalid, unsupported
from serving_app.engine.protocol.fields import Fields
from serving_app.engine.protocol.sampling_fields import (
    MOST_CHOICES,
    MOST_TOKENS,
    SamplingFields,
    Streaming,
    read_labels,
    read_sampling,
    read_streaming,
)

DEFAULT_MAX_TOKENS = 16
MOST_PROMPTS = 32
MOST_LOGPROBS = 5
MOST_SEQUENCES = 64

TextPrompt = str | list[int]


@dataclass(frozen=True, slots=True)
class TextRequest:
    """What was asked: each prompt is text or token ids, and gets `choices` answers."""

    model: str
    prompts: list[TextPrompt]
    sampling: SamplingFields
    streaming: Streaming
    max_tokens: int
    choices: int
    logprobs: int | None
    echo: bool


def read_text_request(body: object) -> TextRequest:
    """Read the body of `POST /v1/completions`. Errors: 400 with `param`."""
    fields = Fields(body)
    max_tokens = fields.integer("max_tokens", low=1, high=MOST_TOKENS)
    choices = fields.integer("n", low=1, high=MOST_CHOICES) or 1
    if (fields.integer("best_of", low=0, high=20) or choices) != choices:
        raise unsupported("best_of", "it must equal 'n'")
    request = TextRequest(
        model=fields.need_text("model"),
        prompts=_read_prompts(fields.take("prompt")),
        sampling=read_sampling(fields),
        streaming=read_streaming(fields),
        max_tokens=DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens,
        choices=choices,
        logprobs=fields.integer("logprobs", low=0, high=MOST_LOGPROBS),
        echo=fields.flag("echo"),
    )
    if len(request.prompts) * choices > MOST_SEQUENCES:
        raise invalid(f"'n' times the number of prompts may be at most {MOST_SEQUENCES}.", param="n")
    if fields.text("suffix"):
        raise unsupported("suffix", "text is only written at the end")
    if request.echo and request.logprobs is not None:
        raise unsupported("echo", "together with 'logprobs' it would need those of the prompt")
    fields.allow_only({"store": (False,)}, reason="this engine keeps nothing")
    read_labels(fields)
    fields.finish()
    return request


def _read_prompts(value: object) -> list[TextPrompt]:
    """A prompt is a string or a list of token ids; several come in a list."""
    if isinstance(value, str) or _is_token_list(value):
        value = [value]
    if not isinstance(value, list) or not value:
        raise invalid("'prompt' must be a string, a list of token ids, or a list of either.", param="prompt")
    if len(value) > MOST_PROMPTS:
        raise invalid(f"'prompt' may hold at most {MOST_PROMPTS} prompts.", param="prompt")
    for prompt in value:
        if not isinstance(prompt, str) and not _is_token_list(prompt):
            raise invalid("Each prompt must be a string or a list of token ids.", param="prompt")
    return list(value)


def _is_token_list(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(token, int) and not isinstance(token, bool) and token >= 0 for token in value)
    )
