"""From everything that was found to spans that do not overlap: trimmed, the surer one first. Knows no recogniser."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import replace

from datasets_app.curation.pii.marks import MARK
from datasets_app.curation.pii.patterns import Span

_EDGE = " \t\r\n\f\v\u00a0.,;:!?\"'`´‘’“”«»*_|<>{}[]()/\\~=-–—•·…"
_OWNER = re.compile(r"['’`´]s$")
_LETTERED = frozenset({"PERSON", "ADDRESS", "LOCATION", "ORGANIZATION", "NRP"})
_WORDED = frozenset({"PERSON", "LOCATION", "ORGANIZATION", "NRP"})


def trim(text: str, span: Span) -> Span | None:
    """Without white space and signs at its edges; brackets and a plus that belong to a number stay. None: nothing."""
    while (cut := _cut(text, span)) is not None and cut != span:  # what an owner's s hid may be an edge again
        span = cut
    return cut


def _cut(text: str, span: Span) -> Span | None:
    start, end = span.start, span.end
    while end > start and text[end - 1] in _EDGE and not (text[end - 1] == ")" and "(" in text[start : end - 1]):
        end -= 1
    while start < end and text[start] in _EDGE and not (text[start] == "(" and ")" in text[start + 1 : end]):
        start += 1
    if span.entity_type in _LETTERED and (owner := _OWNER.search(text, start, end)):
        end = owner.start()
    if start >= end or (span.entity_type in _WORDED and not _is_worded(text[start:end])):
        return None
    return span if (start, end) == (span.start, span.end) else replace(span, start=start, end=end)


def _is_worded(text: str) -> bool:
    """More than one sign, and a letter among them; one sign is a name in scripts without letters' case alone."""
    return any(map(str.isalpha, text)) and (len(text) > 1 or not text.isascii())


def _rests(text: str, span: Span, over: Sequence[tuple[int, int]]) -> list[Span]:
    """What of `span` no place in `over` covers."""
    if not over:
        return [span]
    rests = [(span.start, span.end)]
    for low, high in over:
        cut = [((start, min(end, low)), (max(start, high), end)) for start, end in rests]
        rests = [part for pair in cut for part in pair if part[0] < part[1]]
    trimmed = (trim(text, replace(span, start=start, end=end)) for start, end in rests)
    return [rest for rest in trimmed if rest and sum(map(str.isalnum, text[rest.start : rest.end])) > 1]


def settle(text: str, spans: Iterable[Span]) -> list[Span]:
    """Sorted spans inside the text that do not overlap, none of them over a mask.

    The surer one stays, then the longer one; of the other, the rest that is not covered stays too, so that a wrong
    guess over half of a value never uncovers the other half.
    """
    trimmed = {cut for span in spans if (cut := trim(text, span))}
    taken = [match.span() for match in MARK.finditer(text)] if "[" in text else []
    kept: list[Span] = []
    for span in sorted(trimmed, key=_rank):
        rests = _rests(text, span, _over(taken, span))
        kept += rests
        for rest in rests:
            insort(taken, (rest.start, rest.end))
    return sorted(kept, key=lambda span: span.start)


def _over(taken: Sequence[tuple[int, int]], span: Span) -> Sequence[tuple[int, int]]:
    """Those of the taken places, which are sorted and do not overlap, that the span touches."""
    low, high = bisect_left(taken, (span.start,)), bisect_left(taken, (span.end,))
    return taken[low - 1 if low and taken[low - 1][1] > span.start else low : high]


def _rank(span: Span) -> tuple[float, int, int, str]:
    return (-span.score, span.start - span.end, span.start, span.entity_type)
