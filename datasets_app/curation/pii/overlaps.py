"""From everything that was found to spans that do not overlap: trimmed, the surer one first. Knows no recogniser."""

from __future__ import annotations

import re
from collections.abc import Iterable

from datasets_app.curation.pii.patterns import Span

_EDGE = " \t\r\n\f\v\u00a0.,;:!?\"'`´‘’“”«»*_|<>{}[]()/\\~=-–—•·…"
_OWNER = re.compile(r"['’`´]s$")
_LETTERED = frozenset({"PERSON", "ADDRESS", "LOCATION", "ORGANIZATION", "NRP"})
_WORDED = frozenset({"PERSON", "LOCATION", "ORGANIZATION", "NRP"})


def trim(text: str, span: Span) -> Span | None:
    """Without white space and signs at its edges; brackets and a plus that belong to a number stay. None: nothing."""
    start, end = span.start, span.end
    while end > start and text[end - 1] in _EDGE and not (text[end - 1] == ")" and "(" in text[start : end - 1]):
        end -= 1
    while start < end and text[start] in _EDGE and not (text[start] == "(" and ")" in text[start + 1 : end]):
        start += 1
    if span.entity_type in _LETTERED and (owner := _OWNER.search(text, start, end)):
        end = owner.start()
    if start >= end or (span.entity_type in _WORDED and not any(letter.isalpha() for letter in text[start:end])):
        return None
    return Span(start, end, span.entity_type, span.score)


def _rests(text: str, span: Span, kept: Iterable[Span]) -> list[Span]:
    """What of `span` no kept one covers."""
    rests = [(span.start, span.end)]
    for other in kept:
        rests = [
            part
            for start, end in rests
            for part in ((start, min(end, other.start)), (max(start, other.end), end))
            if part[0] < part[1]
        ]
    whole = len(rests) == 1 and rests[0] == (span.start, span.end)
    cut = (trim(text, Span(start, end, span.entity_type, span.score)) for start, end in rests)
    return [rest for rest in cut if rest and (whole or sum(map(str.isalnum, text[rest.start : rest.end])) > 1)]


def settle(text: str, spans: Iterable[Span]) -> list[Span]:
    """Sorted spans inside the text that do not overlap.

    The surer one stays, then the longer one; of the other, the rest that is not covered stays too, so that a wrong
    guess over half of a value never uncovers the other half.
    """
    trimmed = {cut for span in spans if (cut := trim(text, span))}
    kept: list[Span] = []
    for span in sorted(trimmed, key=lambda span: (-span.score, span.start - span.end, span.start, span.entity_type)):
        kept += _rests(text, span, [other for other in kept if other.start < span.end and span.start < other.end])
    return sorted(kept, key=lambda span: span.start)
