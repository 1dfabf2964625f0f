"""Presidio's pattern recognisers, offline and without a language model. Heavy to import: load it in workers only.

They are called directly, not through `AnalyzerEngine`: a recogniser is asked only where one of its patterns occurs, and
the rise in score for context words, which the engine would add, is added here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from datasets_app.curation.pii.impostors import is_thousands
from datasets_app.curation.pii.patterns import Span

LEAST_SCORE = 0.4
CONTEXT_RISE, CONTEXT_LEAST = 0.35, 0.4  # as in presidio_analyzer's LemmaContextAwareEnhancer
CONTEXT_WORDS = 6
_MODEL_LIBRARIES = ("torch", "transformers")
_HINT = re.compile(r"[\d@]")
_LONG_NUMBER = re.compile(r"\d(?:[ ().\-/]{0,3}\d){6,}")
_WORD = re.compile(r"\w+")
_PLACES = ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR")
_BY_THEMSELVES = (
    "CreditCardRecognizer",
    "CryptoRecognizer",
    "EsNieRecognizer",
    "EsNifRecognizer",
    "FiPersonalIdentityCodeRecognizer",
    "IbanRecognizer",
    "InPanRecognizer",
    "IpRecognizer",
    "ItFiscalCodeRecognizer",
    "KrRrnRecognizer",
    "MacAddressRecognizer",
    "MedicalLicenseRecognizer",
    "SgFinRecognizer",
    "UkDrivingLicenceRecognizer",
    "UkNinoRecognizer",
    "UsItinRecognizer",
    "UsMbiRecognizer",
    "UsSsnRecognizer",
)
_WITH_CONTEXT = (  # digits alone: one number in ten passes such a check by chance
    "AuMedicareRecognizer",
    "AuTfnRecognizer",
    "CaSinRecognizer",
    "DeTaxIdRecognizer",
    "InAadhaarRecognizer",
    "InPassportRecognizer",
    "NhsRecognizer",
    "PlPeselRecognizer",
    "SePersonnummerRecognizer",
    "TrNationalIdRecognizer",
    "UkPassportRecognizer",
    "UsPassportRecognizer",
    "ZaIdNumberRecognizer",
)


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


class _Asked:
    """One recogniser, its patterns as a gate before it, and whether it needs one of its words near."""

    def __init__(self, recognizer: Any, *, needs_context: bool) -> None:
        import regex

        self.recognizer, self.needs_context = recognizer, needs_context
        self.gates = [
            regex.compile(each.regex, recognizer.global_regex_flags).search for each in recognizer.patterns or ()
        ]
        words = "|".join(re.escape(word.strip().lower()) for word in recognizer.context or ())
        self.context = re.compile(rf"(?<!\w)(?:{words})(?!\w)") if words else None

    def find(self, text: str, earlier: str) -> Iterator[Span]:
        if not any(gate(text) for gate in self.gates):
            return
        for found in self.recognizer.analyze(text, self.recognizer.supported_entities, None):
            score = float(found.score)
            if score == 0 or not _stands_alone(text, found.start, found.end):
                continue
            if self._has_context(text, found.start, earlier):
                score = max(min(score + CONTEXT_RISE, 1.0), CONTEXT_LEAST)
            elif self.needs_context:
                continue
            if score >= LEAST_SCORE:
                yield Span(found.start, found.end, found.entity_type, score, "recognizer")

    def _has_context(self, text: str, start: int, earlier: str) -> bool:
        before = f"{earlier[-100:]} {text[max(0, start - 100) : start]}".lower()
        words = [match.start() for match in _WORD.finditer(before)]
        near = before[words[-CONTEXT_WORDS] :] if len(words) > CONTEXT_WORDS else before
        return self.context is not None and self.context.search(near) is not None


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a match holds a digit or @ and is no part of a longer word."""
    inside = text[start - 1 : start].isalnum() if start else False
    return not inside and not text[end : end + 1].isalnum() and _HINT.search(text, start, end) is not None


@cache
def _recognizers() -> tuple[_Asked, ...]:
    """Those that need neither the network nor a model."""
    with _without(*_MODEL_LIBRARIES):
        from presidio_analyzer import predefined_recognizers as known

    class OfflineEmail(known.EmailRecognizer):  # type: ignore[misc]
        def validate_result(self, _text: str) -> bool:
            return True  # its own check asks the network for a list of domains

    return (
        _Asked(OfflineEmail(), needs_context=False),
        *(_Asked(getattr(known, name)(), needs_context=False) for name in _BY_THEMSELVES),
        *(_Asked(getattr(known, name)(), needs_context=True) for name in _WITH_CONTEXT),
    )


@cache
def _phone() -> Any:
    with _without(*_MODEL_LIBRARIES):
        from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    return PhoneRecognizer(supported_regions=_PLACES)


def presidio() -> list[Any]:
    """Presidio's objects themselves, for whoever wants to ask them another way."""
    return [*(asked.recognizer for asked in _recognizers()), _phone()]


def find(text: str, earlier: str = "", found: Sequence[Span] = ()) -> Iterator[Span]:
    """What Presidio finds in `text`; `earlier` is the turn before it, `found` what is known of `text` already.

    `PhoneRecognizer` asks `phonenumbers` once a region, so it is asked only where a long number is not known yet.
    """
    if not _HINT.search(text):
        return
    known = list(found)
    for recognizer in _recognizers():
        for span in recognizer.find(text, earlier):
            known.append(span)
            yield span
    if any(not _inside(match.span(), known) for match in _LONG_NUMBER.finditer(text)):
        phone = _phone()
        for each in phone.analyze(text, phone.supported_entities, None):
            if not is_thousands(text[each.start : each.end]):
                yield Span(each.start, each.end, each.entity_type, float(each.score), "recognizer")


def _inside(place: tuple[int, int], spans: Sequence[Span]) -> bool:
    return any(span.start <= place[0] and place[1] <= span.end for span in spans)
