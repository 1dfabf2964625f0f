"""Case: shouting lowered, headline case made a sentence. Acronyms, codes and unknown words keep their capitals."""

from __future__ import annotations

import re
from collections.abc import Callable

from datasets_app.curation.cleaning.edits import Edit, apply, is_free, protected
from datasets_app.curation.cleaning.sentences import sentence_capitals
from datasets_app.curation.cleaning.words import (
    NO_MERE_NAME,
    WORD,
    frequencies,
    is_english_word,
    listed,
    looks_english,
    names,
)

POLICIES = ("leave", "repair", "sentence")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*\s*|[.!?\n]+")
_LEAST_SHOUTED, _LEAST_TITLED, _SHARE = 3, 4, 0.8
# Short words in capitals that are more often an acronym than a shouted word.
_ACRONYMS = listed(
    "ATM PIN SIM VAT GPS USB PDF FAQ VIP UK USA EU TV PC OK CEO CFO CTO HR PR API URL HTML CSS SQL XML JSON HTTP HTTPS DVD CD LED "
    "DNA RNA HIV AIDS COVID NATO NASA BBC FBI CIA IBAN BIC SSN APR ETA ASAP FYI DIY IRS FDIC ACH AML KYC SMS MMS FDA CDC WHO RSVP "
    "SUV UPS DHL CRM ERP SAAS SLA ROI KPI GDPR ISO SEPA CVV CVC OTP NFC RAM ROM CPU GPU HDMI LTE VPN DNS IP ID IDS"
)
_NAMES = listed(
    "monday tuesday wednesday thursday friday saturday sunday january february april june july august september october november "
    "december english french german spanish italian chinese japanese american british european indian russian mexican canadian "
    "australian america england france germany spain italy china japan india russia mexico canada australia europe africa asia "
    "london paris berlin york california texas washington chicago boston google apple microsoft amazon christmas easter"
)
_LITTLE = listed("a an the and or but of to in on at by for with from as is it my your")


def recase(text: str, policy: str) -> str:
    """`leave`: as it is. `repair`: shouted sentences are lowered. `sentence`: that, headline case lowered, and a capital
    at each sentence's start. English only; masks, code, URLs and words with digits stay."""
    if policy == "leave" or not text:
        return text
    edits = _lowered(text, titles=policy == "sentence")
    if policy == "sentence":
        edits += [edit for edit in sentence_capitals(text) if not any(edit.start == other.start for other in edits)]
    if not edits or not looks_english(text):
        return text
    stretches = protected(text)
    return apply(text, (edit for edit in edits if is_free(edit, stretches)))


def _lowered(text: str, *, titles: bool) -> list[Edit]:
    if text.islower():
        return []
    edits: list[Edit] = []
    for sentence in _SENTENCE.finditer(text):
        words = list(WORD.finditer(text, sentence.start(), sentence.end()))
        if _is_shouted(words):
            edits += _lower(text, words, _shouted_stays(text, sentence.span()))
        elif titles and _is_titled(words):
            edits += _lower(text, words, _titled_stays)
    return edits


def _is_shouted(words: list[re.Match[str]]) -> bool:
    capital = [word[0] for word in words if len(word[0]) > 1 and word[0].isupper() and word[0] not in _ACRONYMS]
    if len(capital) < _LEAST_SHOUTED or not any(len(word) > 3 for word in capital):
        return False
    counted = [word[0] for word in words if len(word[0]) > 1 and word[0] not in _ACRONYMS]
    known = sum(map(is_english_word, capital))
    return len(capital) >= _SHARE * len(counted) and known >= _LEAST_SHOUTED and 2 * known >= len(capital)


def _is_titled(words: list[re.Match[str]]) -> bool:
    counted = [word[0] for word in words if word[0].lower() not in _LITTLE]
    titled = [word for word in counted if word.istitle() and len(word) > 1]
    return len(titled) >= _LEAST_TITLED and len(titled) >= _SHARE * len(counted)


def _shouted_stays(text: str, span: tuple[int, int]) -> Callable[[str], bool]:
    """Unknown words, acronyms, and what the rest of the text, where nobody shouts, writes in capitals as well."""
    rest = text[: span[0]] + text[span[1] :]
    written = frozenset() if rest.isupper() else frozenset(word for word in WORD.findall(rest) if len(word) > 1)

    def stays(word: str) -> bool:
        calm = word in written and (word.title() not in written and word.lower() not in written) and not rest.isupper()
        return word in _ACRONYMS or not is_english_word(word) or (calm and len(word) < 5)

    return stays


def _titled_stays(word: str) -> bool:
    """Words that are no headline word, unknown ones, and names of people that are not common words as well."""
    lowered = word.lower()
    is_name = lowered in names() and frequencies().get(lowered, 0) < NO_MERE_NAME
    return not word.istitle() or not is_english_word(word) or is_name


def _lower(text: str, words: list[re.Match[str]], stays: Callable[[str], bool]) -> list[Edit]:
    edits = []
    for place, word in enumerate(words):
        before, after = text[word.start() - 1 : word.start()], text[word.end() : word.end() + 1]
        if stays(word[0]) or before.isdigit() or after.isdigit() or "_" in (before, after) or word[0] in ("I", "I'"):
            continue
        new = word[0].lower()
        if place == 0 or new in _NAMES or new.startswith("i'"):
            new = new[0].upper() + new[1:]
        if new != word[0]:
            edits.append(Edit(word.start(), word.end(), new))
    return edits
