"""A row as a model's own tokenizer and template write it, token by token: what is learned, what is only read, what is cut.

Needs no transformers, so that a page can show it. The engine decides what is learned by
the same rules (`training_app/engine/data.py`); a test holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from datasets_app.curation.browsing.chattext import Span, written
from datasets_app.curation.errors import Refusal

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MOST_TOKENS = 2_000
SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token")
Role = Literal["learned", "read", "cut"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token's text and what becomes of it. Where several tokens make up one letter, the first has it."""

    text: str
    role: Role


@dataclass(frozen=True, slots=True)
class View:
    """`tokens` are the first MOST_TOKENS of `total`; `counts` are of all, by role."""

    tokens: list[Token]
    total: int
    counts: dict[Role, int]


def check_template(folder: Path) -> None:
    """Try a model's chat template on a short conversation. Refusal where it does not come to an end; a model without a
    template, and one that refuses this conversation, may be of use all the same.
    """
    try:
        _, template, special, _ = _loaded(folder)
        _try(template, tuple(sorted(special.items())))
    except Refusal as refusal:
        if refusal.code == "template_endless":
            raise


@lru_cache(maxsize=64)
def _try(template: str, special: tuple[tuple[str, str], ...]) -> None:
    """One that came to its end will do so again: models of one family bring the same."""
    written(template, dict(special), [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello"}])


@lru_cache(maxsize=8)
def _loaded(folder: Path) -> tuple[Tokenizer, str, dict[str, str], frozenset[int]]:
    """Tokenizer, template, special tokens by name, and the ids that end an answer."""
    from tokenizers import Tokenizer

    if not (folder / "tokenizer.json").is_file():
        raise Refusal(
            code="no_tokenizer",
            message="This model brings no tokenizer.json, so its tokens cannot be shown here.",
            fix="Choose another model.",
        )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    config, own = _json(folder / "tokenizer_config.json"), folder / "chat_template.jinja"
    template = own.read_text(encoding="utf-8") if own.exists() else config.get("chat_template")
    if not isinstance(template, str):
        raise Refusal(
            code="no_template",
            message="This model brings no chat template that can be shown here.",
            fix="Choose another model.",
        )
    special = {name: _text(config[name]) for name in SPECIAL if config.get(name)}
    return tokenizer, template, special, _stops(folder, tokenizer, special)


def _json(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found if isinstance(found, dict) else {}


def _text(token: object) -> str:
    return str(token.get("content", "")) if isinstance(token, dict) else str(token)


def _stops(folder: Path, tokenizer: Tokenizer, special: dict[str, str]) -> frozenset[int]:
    ids = _json(folder / "generation_config.json").get("eos_token_id")
    named = ids if isinstance(ids, list) else [ids]
    own = tokenizer.token_to_id(special.get("eos_token", ""))
    return frozenset(each for each in (*named, own) if isinstance(each, int))


def _learned(ids: Sequence[int], offsets: Sequence[Span], answers: Sequence[Span], stops: frozenset[int]) -> set[int]:
    """Places of the tokens of answers, each up to its last stop token; all of it where it has none."""
    found: set[int] = set()
    for start, end in answers:
        inside = [place for place, (first, last) in enumerate(offsets) if start <= first < end and last <= end]
        last = max((place for place in inside if ids[place] in stops), default=inside[-1] if inside else 0)
        found.update(place for place in inside if place <= last)
    return found


def view_of(folder: Path, messages: Sequence[dict[str, str]], *, limit: int | None) -> View:
    """The tokens of a row. Those past `limit` are cut. Refusal where the model cannot write the row."""
    tokenizer, template, special, stops = _loaded(folder)
    text, answers = written(template, special, messages)
    encoded = tokenizer.encode(text, add_special_tokens=False)
    learned = _learned(encoded.ids, encoded.offsets, answers, stops)
    roles: list[Role] = [
        "cut" if limit and place >= limit else "learned" if place in learned else "read"
        for place in range(len(encoded.ids))
    ]
    tokens, reached = [], 0
    for (first, last), role in zip(encoded.offsets[:MOST_TOKENS], roles, strict=False):
        tokens.append(Token(text[max(first, reached) : last], role))
        reached = max(reached, last)
    counts: dict[Role, int] = {role: roles.count(role) for role in ("learned", "read", "cut")}
    return View(tokens, len(encoded.ids), counts)
