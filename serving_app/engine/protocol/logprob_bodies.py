"""Log probabilities in OpenAI's two shapes: objects for chat, parallel lists for text completions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from serving_app.engine.params import TokenLogprob

# A token's text and its bytes, which are None where the tokenizer does not tell them.
Spell = Callable[[int], tuple[str, list[int] | None]]
# JSON has no minus infinity; OpenAI writes this for "impossible".
LOWEST = -9999.0


def chat_logprobs(entries: Iterable[TokenLogprob], spell: Spell) -> dict[str, Any]:
    """`{"content": [...], "refusal": null}`."""
    content = [
        {
            **_token(entry.token, entry.logprob, spell),
            "top_logprobs": [_token(token, logprob, spell) for token, logprob in entry.top],
        }
        for entry in entries
    ]
    return {"content": content, "refusal": None}


def text_logprobs(entries: Iterable[TokenLogprob], spell: Spell, *, offset: int) -> dict[str, Any]:
    """Parallel lists; `offset` is the position in characters of the first token in the choice's text.

    The chosen token is always among `top_logprobs`, which so may hold one more than was asked for.
    """
    body: dict[str, Any] = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
    for entry in entries:
        text = spell(entry.token)[0]
        body["tokens"].append(text)
        body["token_logprobs"].append(max(entry.logprob, LOWEST))
        top = {spell(token)[0]: max(logprob, LOWEST) for token, logprob in entry.top}
        body["top_logprobs"].append(top | {text: max(entry.logprob, LOWEST)})
        body["text_offset"].append(offset)
        offset += len(text)
    return body


def _token(token: int, logprob: float, spell: Spell) -> dict[str, Any]:
    text, raw = spell(token)
    return {"token": text, "bytes": raw, "logprob": max(logprob, LOWEST)}
