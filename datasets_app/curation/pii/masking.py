"""What happens to what was found: a mask, a stand-in, a digest, the whole row dropped, or nothing. Finds nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.pii.lists import Allowed
from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.pii.pseudonyms import Pseudonyms

ACTIONS = ("mask", "pseudonym", "hash", "drop_row", "keep")
VERDICTS = ("accept", "reject")
HASH_DIGITS = 10
MASKS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "US_SSN": "SSN",
    "IP_ADDRESS": "IP",
    "URL_CREDENTIALS": "CREDENTIALS",
    "UK_NINO": "NINO",
    "MEDICAL_LICENSE": "LICENCE",
    "US_DRIVER_LICENSE": "LICENCE",
    "ACCOUNT_NUMBER": "ACCOUNT",
    "DENIED": "PRIVATE",
}
# Nobody is known by these alone, and a model has to learn them: they stay unless the policy names them.
NOT_ALONE = frozenset({"LOCATION", "ORGANIZATION", "NRP", "DATE_TIME", "TITLE", "AGE", "URL"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: file, 0-based row, 0-based turn."""

    file: str
    row: int
    turn: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A finding with what is done to it. `key` stands for it in this place, `value_key` for its value anywhere."""

    span: Span
    action: str
    verdict: str
    replacement: str
    key: str
    value_key: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What happens to each type. `decisions` gives keys of hits, or `value:` and the key of a value, a verdict."""

    by_type: Mapping[str, str] = field(default_factory=dict)
    default: str = "mask"
    allowed: Allowed = field(default_factory=lambda: Allowed(()))
    decisions: Mapping[str, str] = field(default_factory=dict)
    keys: Keys = field(default_factory=lambda: Keys(b""))

    def action(self, entity_type: str) -> str:
        """What is done to a type that nobody decided on."""
        return self.by_type.get(entity_type, "keep" if entity_type in NOT_ALONE else self.default)

    def judged(self, text: str, spans: Sequence[Span], place: Place) -> list[Hit]:
        """Each finding with its action. A rejected one is kept; an accepted one is hidden even where its type is not."""
        stand_ins = Pseudonyms(self.keys)
        return [self._judged(text[span.start : span.end], span, place, stand_ins) for span in spans]

    def _judged(self, value: str, span: Span, place: Place, stand_ins: Pseudonyms) -> Hit:
        key = self.keys.of_place(place.file, place.row, place.turn, span.start, span.end, value)
        value_key = self.keys.of_value(span.entity_type, value)
        verdict = self.decisions.get(key) or self.decisions.get(f"value:{value_key}", "")
        action = self.action(span.entity_type)
        if verdict == "reject" or (not verdict and value in self.allowed):
            action = "keep"
        elif verdict == "accept" and action == "keep":
            action = "mask"
        return Hit(span, action, verdict, self._replacement(action, span.entity_type, value, stand_ins), key, value_key)

    def _replacement(self, action: str, entity_type: str, value: str, stand_ins: Pseudonyms) -> str:
        if action == "mask":
            return mask_of(entity_type)
        if action == "hash":
            return f"[{_mark(entity_type)}_{self.keys.number(entity_type, value, HASH_DIGITS)}]"
        return stand_ins.of(entity_type, value) if action == "pseudonym" else value


def policy_of(options: Mapping[str, Any], secret: bytes = b"") -> Policy:
    """The policy in the options of a recipe's step, under the secret of a workspace."""
    return Policy(
        options.get("policy", {}),
        str(options.get("default", "mask")),
        Allowed(options.get("allow", ())),
        options.get("decisions", {}),
        Keys(secret),
    )


def _mark(entity_type: str) -> str:
    return MASKS.get(entity_type, entity_type)


def mask_of(entity_type: str) -> str:
    """`[EMAIL]`, `[CARD]`, …"""
    return f"[{_mark(entity_type)}]"


def applied(text: str, hits: Sequence[Hit]) -> str:
    """The text with every hit replaced."""
    parts, at = [], 0
    for hit in hits:
        parts += [text[at : hit.span.start], hit.replacement]
        at = hit.span.end
    return "".join([*parts, text[at:]])


def hidden(hits: Sequence[Hit]) -> Counter[str]:
    """How many of each type do not stand there as they came."""
    return Counter(hit.span.entity_type for hit in hits if hit.action != "keep")


def drops(hits: Sequence[Hit]) -> str | None:
    """The type for which the whole row goes, or None."""
    return next((hit.span.entity_type for hit in hits if hit.action == "drop_row"), None)


def masked(text: str, spans: Sequence[Span]) -> str:
    """The text with everything that was found behind its mask, whatever a policy says."""
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], mask_of(span.entity_type)]
        at = span.end
    return "".join([*parts, text[at:]])


def veil(text: str, spans: Sequence[Span]) -> str:
    """The text with only the first character of each finding left: enough to see what was hidden, not what it was."""
    return veil_ranges(text, [(span.start, span.end) for span in spans])


def veil_ranges(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    """The same for stretches `(start, end)` in any order, which may overlap or touch."""
    parts, at = list[str](), 0
    for start, end in sorted(ranges):
        if start > at or not parts:
            parts.append(f"{text[at : start + 1]}•••")
        at = max(at, end)
    return "".join(parts) + text[at:]
