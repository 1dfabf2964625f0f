"""What a breach is called: for the caller, who is told no more than they need, and for reviewers, who see the place."""

from __future__ import annotations

from dataclasses import replace

from datasets_app.curation.pii.masking import mask_of, masked
from datasets_app.curation.pii.patterns import Span
from serving_app.guardrails.personal import Personal, storable
from serving_app.guardrails.rules import Hit
from serving_app.guardrails.watch import Breach

AROUND, SHOWN, LONGEST_HIT = 400, 120, 200  # characters looked at, shown on either side, shown of what broke the rule


def for_caller(hit: Hit) -> str:
    """What the prompt holds, as the end of a sentence."""
    if hit.kind == "personal_data":
        return f"personal data ({mask_of(hit.detail)})"
    if hit.kind == "lexicon":
        return f"words from the list of {hit.detail}"
    return "words that are not allowed here"


def for_reviewer(hit: Hit) -> str:
    """The rule that was broken."""
    if hit.kind == "personal_data":
        return f"personal data, {mask_of(hit.detail)}"
    if hit.kind == "lexicon":
        return f"the list of {hit.detail}"
    return storable(f"the {hit.kind} “{hit.detail[:80]}”")


def excerpt(breach: Breach, personal: Personal) -> str:
    """The place with what stands around it, personal data hidden; the words that broke the rule stand in « »."""
    low = max(0, breach.hit.start - AROUND)
    text = breach.around[low : breach.hit.end + AROUND]
    start, end = breach.hit.start - low, breach.hit.end - low
    spans = personal.find(text, breach.earlier)
    for span in spans:
        if span.start < end and start < span.end:
            start, end = min(start, span.start), max(end, span.end)
    before = masked(text[:start], [span for span in spans if span.end <= start])
    is_personal = breach.hit.kind == "personal_data"  # found as a part of more than this excerpt: masked in any case
    shown = mask_of(breach.hit.detail) if is_personal else _masked_part(text, start, end, spans)
    after = _masked_part(text, end, len(text), spans)
    return storable(f"{_tail(before)}«{shown[:LONGEST_HIT]}»{_head(after)}")


def _masked_part(text: str, start: int, end: int, spans: list[Span]) -> str:
    inside = [span for span in spans if start <= span.start and span.end <= end]
    moved = [replace(span, start=span.start - start, end=span.end - start) for span in inside]
    return masked(text[start:end], moved)


def _tail(text: str) -> str:
    return text if len(text) <= SHOWN else "…" + text[-SHOWN:].partition(" ")[2]


def _head(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN].rpartition(" ")[0] + "…"
