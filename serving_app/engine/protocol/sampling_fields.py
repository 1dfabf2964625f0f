"""The fields that chat and text completions share: how to sample, how to stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from serving_app.engine.errors import invalid
from serving_app.engine.params import SamplingParams
from serving_app.engine.protocol.fields import Fields

MOST_TOKENS = 2**31 - 1
# Together with the prompts of one call this bounds the sequences that one request can ask for.
MOST_CHOICES = 16
MOST_STOPS = 4
LONGEST_STOP = 1_000
MOST_BIASES = 1_024
LONGEST_TOKEN_ID = 9
SEED_BOUND = 2**63
# The caller's own words about a request: checked, and of no consequence for the answer.
LABELS = ("user", "safety_identifier", "prompt_cache_key")
LONGEST_LABEL = 512
MOST_METADATA = 16


@dataclass(frozen=True, slots=True)
class SamplingFields:
    """Sampling wishes before the prompt's length is known."""

    temperature: float
    top_p: float
    frequency_penalty: float
    presence_penalty: float
    logit_bias: dict[int, float]
    seed: int | None
    stop: tuple[str, ...]

    def params(self, *, max_tokens: int, logprobs: int | None, vocabulary: int) -> SamplingParams:
        """Complete wishes. Errors: a bias for a token that the model does not have."""
        for token in self.logit_bias:
            if token >= vocabulary:
                raise invalid(f"'logit_bias' names token {token}, which this model lacks.", param="logit_bias")
        return SamplingParams(
            max_tokens=max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
            logit_bias=self.logit_bias,
            seed=self.seed,
            stop=self.stop,
            logprobs=logprobs,
        )


@dataclass(frozen=True, slots=True)
class Streaming:
    """Whether to stream, and whether a last chunk tells the usage."""

    on: bool
    include_usage: bool


def read_sampling(fields: Fields) -> SamplingFields:
    """The sampling fields with OpenAI's bounds and defaults (temperature 1, all of the probability mass)."""
    return SamplingFields(
        temperature=fields.number("temperature", low=0, high=2, default=1.0),
        top_p=fields.number("top_p", low=0, high=1, default=1.0),
        frequency_penalty=fields.number("frequency_penalty", low=-2, high=2, default=0.0),
        presence_penalty=fields.number("presence_penalty", low=-2, high=2, default=0.0),
        logit_bias=_read_bias(fields.take("logit_bias")),
        seed=fields.integer("seed", low=-SEED_BOUND, high=SEED_BOUND - 1),
        stop=_read_stop(fields.take("stop")),
    )


def read_streaming(fields: Fields) -> Streaming:
    """`stream` and `stream_options`; options without streaming are refused, as OpenAI does."""
    on = fields.flag("stream")
    options = fields.inner("stream_options")
    if options is None:
        return Streaming(on, include_usage=False)
    if not on:
        raise invalid("'stream_options' is only allowed when 'stream' is true.", param="stream_options")
    include_usage = options.flag("include_usage")
    options.flag("include_obfuscation")
    options.finish()
    return Streaming(on, include_usage)


def read_labels(fields: Fields) -> None:
    """Check the caller's labels and `metadata`, and let them pass."""
    for name in LABELS:
        if len(fields.text(name) or "") > LONGEST_LABEL:
            raise invalid(f"'{name}' may have at most {LONGEST_LABEL} characters.", param=name)
    metadata = fields.take("metadata")
    if metadata is None:
        return
    good = isinstance(metadata, dict) and len(metadata) <= MOST_METADATA
    if not good or not all(isinstance(value, str) and len(value) <= LONGEST_LABEL for value in metadata.values()):
        raise invalid(
            f"'metadata' must be an object of at most {MOST_METADATA} texts of {LONGEST_LABEL} characters.",
            param="metadata",
        )


def _read_bias(value: Any) -> dict[int, float]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid("'logit_bias' must be an object of token ids and numbers.", param="logit_bias")
    if len(value) > MOST_BIASES:
        raise invalid(f"'logit_bias' may hold at most {MOST_BIASES} tokens.", param="logit_bias")
    bias: dict[int, float] = {}
    for token, amount in value.items():
        if not (token.isascii() and token.isdigit() and len(token) <= LONGEST_TOKEN_ID):
            raise invalid(f"'logit_bias' has a key that is no token id: '{token[:40]}'.", param="logit_bias")
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not -100 <= amount <= 100:
            raise invalid("Values of 'logit_bias' must be numbers from -100 to 100.", param="logit_bias")
        bias[int(token)] = float(amount)
    return bias


def _read_stop(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise invalid("'stop' must be a string or a list of strings, none of them empty.", param="stop")
    if len(stops) > MOST_STOPS:
        raise invalid(f"'stop' may hold at most {MOST_STOPS} strings.", param="stop")
    if any(len(stop) > LONGEST_STOP for stop in stops):
        raise invalid(f"A string of 'stop' may have at most {LONGEST_STOP} characters.", param="stop")
    return tuple(stops)
