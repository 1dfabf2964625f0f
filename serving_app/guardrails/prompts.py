"""The texts of a request: read by the rules, and with personal data hidden where the workspace wants it so.

A body has not been checked by anybody yet; what has another shape than OpenAI's is left for the engine to refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serving_app.guardrails.guard import Guard
from serving_app.guardrails.personal import Personal
from serving_app.guardrails.rules import Hit
from serving_app.guardrails.watch import Breach, first_breach

ASKED = ("messages", "prompt", "input")
BESIDE = ("tools", "functions", "response_format")  # a model reads them too
NO_TEXT = frozenset({"role", "type", "id", "tool_call_id"})
Change = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a request: its body, the first breach, how much was hidden, and a field that cannot be read."""

    body: Mapping[str, Any]
    breach: Breach | None = None
    masked: int = 0
    unread: str = ""


@dataclass(slots=True)
class _Masks:
    """Hides personal data text by text, and remembers the turns that went before."""

    personal: Personal
    count: int = 0
    first: Breach | None = None
    earlier: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> str:
        spans = self.personal.find(text, self.earlier)
        if not spans:
            return text
        self.count += len(spans)
        first = spans[0]
        hit = Hit(first.start, first.end, "personal_data", first.entity_type)
        self.first = self.first or Breach(hit, text, tuple(self.earlier))
        return self.personal.scrubbed(text, self.earlier)


def read_prompt(body: Mapping[str, Any], guard: Guard) -> Reading:
    """Look at everything in a request that a model reads."""
    unread = next((name for name in ASKED if _has_token_ids(body.get(name))), "")
    if unread:
        return Reading(body, unread=unread)
    if guard.prompts:
        for text in texts_of(body, (*ASKED, *BESIDE)):
            if breach := first_breach(text, guard.prompts):
                return Reading(body, breach=breach)
    if not guard.masks and not guard.refuses:
        return Reading(body)
    masks = _Masks(guard.personal)
    masked = {name: _changed_turns(body[name], masks) for name in ASKED if name in body}
    if guard.refuses and masks.first is not None:
        return Reading(body, breach=masks.first)
    return Reading({**body, **masked} if masks.count and guard.masks else body, masked=masks.count)


def asked_texts(body: Mapping[str, Any]) -> Iterator[str]:
    """The texts of what was asked."""
    return texts_of(body, ASKED)


def texts_of(body: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """Every text in these fields."""
    for name in names:
        yield from _texts(body.get(name))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in NO_TEXT:
                yield from _texts(each)


def _changed_turns(value: Any, masks: _Masks) -> Any:
    """As `changed`, turn by turn: a bare number is an answer to the turn before it."""
    if not isinstance(value, list):
        return changed(value, masks)
    found = []
    for turn in value:
        found.append(changed(turn, masks))
        masks.earlier.append("\n".join(_texts(turn)))
    return found


def changed(value: Any, change: Change) -> Any:
    """A part of a body with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [changed(each, change) for each in value]
    if isinstance(value, dict):
        return {name: each if name in NO_TEXT else changed(each, change) for name, each in value.items()}
    return value


def _has_token_ids(value: Any) -> bool:
    """A prompt as numbers: it may say anything, and nobody here can read it."""
    if not isinstance(value, list):
        return False
    return any(isinstance(each, int) or (isinstance(each, list) and _has_token_ids(each)) for each in value)
