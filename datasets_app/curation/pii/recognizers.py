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

    EmailRecognizer.validate_result = lambda self, text: (
        True
    )  # its check looks up the public-suffix list on the network
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
    if len(_DIGIT.findall(text)) >= 7:
        phone = _phone()
        for found in phone.analyze(text, phone.supported_entities, None):
            yield Span(found.start, found.end, found.entity_type, float(found.score))


def find(text: str) -> list[Span]:
    """All findings of our own shapes and of Presidio, without overlaps: the surer, then the longer one stays."""
    if not _DIGIT.search(text) and "@" not in text:
        return []
    found = sorted([*patterns.find(text), *_presidio(text)], key=lambda span: (-span.score, span.start - span.end))
    kept: list[Span] = []
    for span in found:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)
