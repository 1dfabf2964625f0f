"""The texts of a request: read by the rules, and with personal data hidden where the workspace wants it so.

A body has not been checked by anybody yet; what has another shape than OpenAI's is left for the engine to refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from datasets_app.curation.pii.masking import masked
from datasets_app.curation.pii.overlaps import settle
from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.pii.talk import Talk
from serving_app.guardrails.guard import Guard
from serving_app.guardrails.personal import Personal
from serving_app.guardrails.rules import Hit
from serving_app.guardrails.watch import Breach, first_breach

ASKED = ("messages", "prompt", "input")
BESIDE = ("tools", "functions", "response_format")  # a model reads them too
MOST_READ = 2_000_000  # characters: more than any context holds, and bounded work
NO_TEXT = frozenset({"role", "type", "id", "tool_call_id"})
TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
OPEN = frozenset({"content", "tool_calls"})  # what stands below these has the shape of OpenAI's parts and calls
# Names of OpenAI's fields and of JSON Schema: whoever sends them says nothing by it.
NAMES = NO_TEXT | OPEN | {
    "name", "text", "refusal", "function", "function_call", "arguments", "description", "parameters", "strict",
    "json_schema", "schema", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
    "oneOf", "allOf", "not", "pattern", "format", "default", "title", "examples", "minLength", "maxLength", "minimum",
    "maximum", "minItems", "maxItems", "uniqueItems", "$ref", "$defs", "$schema", "definitions",
}  # fmt: skip
Change = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a request: its body, the first breach, how much was hidden, and a field that cannot be read, or
    that it is too long to be."""

    body: Mapping[str, Any]
    breach: Breach | None = None
    masked: int = 0
    unread: str = ""
    is_too_long: bool = False


@dataclass(slots=True)
class _Masks:
    """Hides personal data text by text, and remembers the turns that went before."""

    personal: Personal
    count: int = 0
    first: Breach | None = None
    talk: Talk = field(default_factory=Talk)

    def __call__(self, text: str) -> str:
        return self._hide(text, self.personal.find(text, self.talk))

    def joined(self, parts: list[Any]) -> list[Any]:
        """The parts of a content, as one where something is hidden in their texts: engines read them as one text, and
        each alone must not be missed where they write something between."""
        texts = [(at, text) for at, part in enumerate(parts) if (text := _part_text(part)) is not None]
        if len(texts) < 2:
            return parts
        whole, start = "".join(text for _, text in texts), 0
        spans = self.personal.find(whole, self.talk)
        for _, text in texts:
            spans += [_moved(span, start) for span in self.personal.find(text, self.talk)]
            start += len(text)
        if not spans:
            return parts
        places = {at for at, _ in texts}
        one = {"type": "text", "text": self._hide(whole, settle(whole, spans))}
        return [one if at == texts[0][0] else part for at, part in enumerate(parts) if at not in places - {texts[0][0]}]

    def _hide(self, text: str, spans: Sequence[Span]) -> str:
        if not spans:
            return text
        self.count += len(spans)
        first = spans[0]
        if self.first is None:
            hit = Hit(first.start, first.end, "personal_data", first.entity_type)
            self.first = Breach(hit, text, tuple(self.talk.turns))
        return masked(text, spans)


def read_prompt(body: Mapping[str, Any], guard: Guard) -> Reading:
    """Look at everything in a request that a model reads, in time that grows with its length."""
    unread = next((name for name in ASKED if _has_token_ids(body.get(name))), "")
    if unread:
        return Reading(body, unread=unread)
    if sum(map(len, texts_of(body, (*ASKED, *BESIDE)))) > MOST_READ:
        return Reading(body, is_too_long=True)
    if guard.prompts and (breach := _forbidden(body, guard)):
        return Reading(body, breach=breach)
    if not guard.masks and not guard.refuses:
        return Reading(body)
    masks = _Masks(guard.personal)
    found = {name: _changed_turns(body[name], masks) for name in ASKED if name in body}
    masks.talk = Talk()
    found |= {name: changed(body[name], masks) for name in BESIDE if name in body}
    if guard.refuses and masks.first is not None:
        return Reading(body, breach=masks.first)
    return Reading({**body, **found} if masks.count and guard.masks else body, masked=masks.count)


def asked_texts(body: Mapping[str, Any]) -> Iterator[str]:
    """The texts of what was asked."""
    return texts_of(body, ASKED)


def texts_of(body: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """Every text in these fields."""
    for name in names:
        yield from _texts(body.get(name))


def _forbidden(body: Mapping[str, Any], guard: Guard) -> Breach | None:
    """The first place that breaks a rule, with the turns before it."""
    for name in (*ASKED, *BESIDE):
        turns = body[name] if isinstance(body.get(name), list) else [body.get(name)]
        for at, turn in enumerate(turns):
            for text in _texts(turn):
                if breach := first_breach(text, guard.prompts):
                    return replace(breach, earlier=["\n".join(_texts(each)) for each in turns[:at]])
    return None


def _texts(value: Any, is_open: bool = True) -> Iterator[str]:
    """The texts of a part of a body, names of fields among them; a content's parts each, and then joined."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, is_open)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in NAMES:
                yield name
            if not _is_label(name, each, is_open):
                yield from _texts(each, is_open and name in OPEN)
            if name == "content" and isinstance(each, list) and len(each) > 1:
                yield "".join(text for part in each if (text := _part_text(part)) is not None)


def _part_text(part: Any) -> str | None:
    """The text of a part of a content; None where it has none."""
    if isinstance(part, dict):
        part = next((part[name] for name in ("text", "refusal") if isinstance(part.get(name), str)), None)
    return part if isinstance(part, str) else None


def _is_label(name: str, value: Any, is_open: bool) -> bool:
    """Whether a field says only what its neighbours are: a name of a role or a type, a number of a call."""
    if not isinstance(value, str):
        return False
    return (is_open and name in NO_TEXT) or (name == "type" and value in TYPES)


def _moved(span: Span, by: int) -> Span:
    return replace(span, start=span.start + by, end=span.end + by)


def _changed_turns(value: Any, masks: _Masks) -> Any:
    """As `changed`, turn by turn: a bare number is an answer to the turn before it."""
    if not isinstance(value, list):
        return changed(value, masks)
    found = []
    for turn in value:
        told = turn
        if isinstance(turn, dict) and isinstance(turn.get("content"), list):
            told = {**turn, "content": masks.joined(turn["content"])}
        found.append(changed(told, masks))
        masks.talk.add("\n".join(_texts(turn)))
    return found


def changed(value: Any, change: Change, is_open: bool = True) -> Any:
    """A part of a body with every text in it changed, names of fields that are nobody's among them."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [changed(each, change, is_open) for each in value]
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for name, each in value.items():
            told = name if name in NAMES else change(name)
            while told in found:  # two names behind one mask are still two
                told += "_"
            kept = _is_label(name, each, is_open)
            found[told] = each if kept else changed(each, change, is_open and name in OPEN)
        return found
    return value


def _has_token_ids(value: Any) -> bool:
    """A prompt as numbers: it may say anything, and nobody here can read it."""
    if not isinstance(value, list):
        return False
    return any(isinstance(each, int) or (isinstance(each, list) and _has_token_ids(each)) for each in value)
