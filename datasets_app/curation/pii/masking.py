"""Hiding what was found: a mask that names the type, the whole row dropped, or kept. Decides by policy alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets_app.curation.pii.patterns import Span

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
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What happens to each type; `allow` holds texts that are not personal (compared without case)."""

    by_type: Mapping[str, str] = field(default_factory=dict)
    default: str = "mask"
    allow: frozenset[str] = frozenset()

    def choice(self, span: Span, text: str) -> str:
        if text[span.start : span.end].lower() in self.allow:
            return "keep"
        return self.by_type.get(span.entity_type, self.default)


def policy_of(options: Mapping[str, Any]) -> Policy:
    """The policy in the options of a recipe's step."""
    allow = frozenset(str(text).lower() for text in options.get("allow", ()))
    return Policy(options.get("policy", {}), str(options.get("default", "mask")), allow)


def mask_of(entity_type: str) -> str:
    """`[EMAIL]`, `[CARD]`, …"""
    return f"[{MASKS.get(entity_type, entity_type)}]"


def hide(text: str, spans: Sequence[Span], policy: Policy) -> tuple[str, Counter[str], str | None]:
    """The text with masks, what was masked by type, and the type that drops the whole row (or None)."""
    hidden: Counter[str] = Counter()
    parts, at = [], 0
    for span in spans:
        choice = policy.choice(span, text)
        if choice == "drop_row":
            return text, hidden, span.entity_type
        if choice == "mask":
            parts += [text[at : span.start], mask_of(span.entity_type)]
            at = span.end
            hidden[span.entity_type] += 1
    return "".join([*parts, text[at:]]), hidden, None


def veil(text: str, spans: Sequence[Span]) -> str:
    """The text with only the first character of each finding left: enough to see what was hidden, not what it was."""
    for span in reversed(spans):
        text = f"{text[: span.start + 1]}•••{text[span.end :]}"
    return text
