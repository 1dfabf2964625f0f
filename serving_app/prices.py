"""What tokens cost, and the most that a request can cost. Pure sums; it knows no rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

MILLION = 1_000_000
BYTES_A_TOKEN = 4  # where nobody tells what texts took
TEMPLATE_TOKENS = 256  # what a chat template may add beyond the JSON around each message
LONGEST_UNKNOWN_CONTEXT = 32_768
DEFAULT_TEXT_TOKENS = 16
MOST_ANSWERS = 128  # OpenAI's bound of `n`; engines refuse what is over theirs


@dataclass(frozen=True, slots=True)
class Tokens:
    """Counts of one attempt; `cached` are among `prompt`."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """Millionths of the currency unit for a million tokens."""

    prompt_micro: int
    completion_micro: int


def usual_price() -> Price:
    """The settings' price, for what has none of its own."""
    return Price(settings.PRICE_PROMPT_MICRO, settings.PRICE_COMPLETION_MICRO)


def cost_micro(tokens: Tokens, price: Price | None = None) -> int:
    """Cost in millionths of the currency unit, rounded up. Never falls when a count rises."""
    price = price or usual_price()
    exact = tokens.prompt * price.prompt_micro + tokens.completion * price.completion_micro
    return -(-exact // MILLION)


def _count(value: Any, default: int, *, most: int) -> int:
    """A positive number from a body that nobody has checked yet. Ours refuses what is none; other engines read 4.0 or
    "4" as 4, so it is taken for the most."""
    if value is None:
        return default
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else most


def _prompts(prompt: Any) -> int:
    if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int):
        return len(prompt)
    return 1


def _has_tools(body: Mapping[str, Any]) -> bool:
    """Whether a template will write out functions or calls, with spaces and explanations of its own."""
    messages = body.get("messages")
    listed = messages if isinstance(messages, list) else []
    return bool(body.get("tools")) or any(isinstance(each, dict) and bool(each.get("tool_calls")) for each in listed)


def upper_bound(body: Mapping[str, Any], *, size: int, context: int) -> Tokens:
    """The most tokens that a request can take, without a tokenizer.

    `size` is the body's length in bytes: a byte-level tokenizer never makes more tokens than bytes, and no engine
    reads more than `context` tokens a prompt; where tools are in play, only that last bound is sure. Each of `n`
    answers can fill the context unless a limit is given.
    """
    context = context or LONGEST_UNKNOWN_CONTEXT
    prompts = _prompts(body.get("prompt"))
    default = context if "messages" in body else DEFAULT_TEXT_TOKENS
    older = _count(body.get("max_tokens"), default, most=context)
    limit = _count(body.get("max_completion_tokens"), older, most=context)
    prompt = prompts * context
    if not _has_tools(body):
        prompt = min(prompt, size + TEMPLATE_TOKENS * prompts)
    answers = min(_count(body.get("n"), 1, most=MOST_ANSWERS), MOST_ANSWERS)
    return Tokens(prompt=prompt, completion=prompts * answers * min(limit, context))


def prompt_guess(texts: Iterable[str]) -> int:
    """About how many tokens a prompt has that nobody counted: one for each four bytes."""
    return -(-sum(len(text.encode(errors="replace")) for text in texts) // BYTES_A_TOKEN)


def texts_bound(body: Mapping[str, Any], *, size: int, context: int) -> Tokens:
    """The most tokens that texts to be embedded can have; nothing is written for them."""
    texts = _prompts(body.get("input"))
    return Tokens(prompt=min(texts * (context or LONGEST_UNKNOWN_CONTEXT), size + TEMPLATE_TOKENS * texts))
