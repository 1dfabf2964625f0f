"""Presidio's pattern recognisers, offline and without a language model. Heavy to import: load it in workers only."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from datasets_app.curation.pii import patterns
from datasets_app.curation.pii.patterns import Span

LEAST_SCORE = 0.4
_MODEL_LIBRARIES = ("torch", "transformers")
_DIGIT = re.compile(r"\d")
_LONG_NUMBER = re.compile(r"\d(?:[ ().\-]{0,3}\d){6}")
_MINUS = re.compile(r"\d+ - \d+")
_PLACES = ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR")


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Let imports inside find no such libraries: Presidio's optional models would load torch, which takes seconds."""
    hidden: dict[str, Any] = dict.fromkeys(name for name in names if name not in sys.modules)
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@cache
def _recognizers() -> tuple[Any, ...]:
    """Those whose patterns hold by themselves; ones that need the network or a model are left out.

    `PhoneRecognizer` asks `phonenumbers` once a region, so it comes last and only for texts with enough digits.
    """
    with _without(*_MODEL_LIBRARIES):
        from presidio_analyzer.predefined_recognizers import (
            CreditCardRecognizer,
            CryptoRecognizer,
            EmailRecognizer,
            IbanRecognizer,
            IpRecognizer,
            MedicalLicenseRecognizer,
            UkNinoRecognizer,
            UsSsnRecognizer,
        )

    EmailRecognizer.validate_result = lambda self, text: True  # its own check asks the network for a list
    kinds = (
        CreditCardRecognizer,
        CryptoRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        MedicalLicenseRecognizer,
        UkNinoRecognizer,
        UsSsnRecognizer,
    )
    return tuple(kind() for kind in kinds)


@cache
def _phone() -> Any:
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    return PhoneRecognizer(supported_regions=_PLACES)


def _presidio(text: str) -> Iterator[Span]:
    for recognizer in _recognizers():
        for found in recognizer.analyze(text, recognizer.supported_entities, None):
            if found.score >= LEAST_SCORE:
                yield Span(found.start, found.end, found.entity_type, float(found.score))
    if _LONG_NUMBER.search(text):
        phone = _phone()
        for found in phone.analyze(text, phone.supported_entities, None):
            yield Span(found.start, found.end, found.entity_type, float(found.score))


def _is_sum(text: str, span: Span) -> bool:
    """Whether what looks like a phone number is calculated with: `2400-1100-700=600`, `$<<350000*5`."""
    if span.entity_type != "PHONE_NUMBER":
        return False
    before, value, after = text[: span.start].rstrip(), text[span.start : span.end], text[span.end :].lstrip()
    return before.endswith(("<", "$", "*", "/")) or after.startswith(("=", "*", "/")) or bool(_MINUS.fullmatch(value))


def find(text: str) -> list[Span]:
    """All findings of our own shapes and of Presidio, without overlaps: the surer, then the longer one stays."""
    if not _DIGIT.search(text) and "@" not in text:
        return []
    every = [span for span in (*patterns.find(text), *_presidio(text)) if not _is_sum(text, span)]
    found = sorted(every, key=lambda span: (-span.score, span.start - span.end))
    kept: list[Span] = []
    for span in found:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)
