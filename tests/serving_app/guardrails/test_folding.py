"""Rules read what people paste, however its spaces, hyphens and marks are written."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving_app.guardrails.folding import fold
from serving_app.guardrails.lookalikes import latin, plain
from serving_app.guardrails.personal import Personal
from serving_app.guardrails.rules import Lexicon, Patterns, Words
from serving_app.guardrails.watch import Watch, first_breach


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Pay DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000 today", "Pay [IBAN] today"),
        ("Charge 4111\u202f1111\u202f1111\u202f1111 now", "Charge [CARD] now"),
        ("Call +49\u00a030\u00a012345678 please", "Call [PHONE] please"),
        ("Write to ada\u200b@care.exa\u00admple please", "Write to [EMAIL] please"),
        ("My card is \uff14\uff11\uff11\uff11 1111 1111 1111", "My card is [CARD]"),
    ],
)
def test_personal_data_is_hidden_as_it_was_pasted(text, hidden) -> None:
    assert Personal().scrubbed(text) == hidden


def test_around_it_everything_stays_as_it_was_written() -> None:
    text = "Mu\u0308ller\u00a0schrieb an ada@care.example – bald\u2026"
    assert Personal().scrubbed(text) == text.replace("ada@care.example", "[EMAIL]")


@pytest.mark.parametrize(
    ("rule", "text", "said"),
    [
        (Words(["M\u00fcller"]), "Ask Mu\u0308ller about it", "Mu\u0308ller"),
        (Words(["Mu\u0308ller"]), "Ask M\u00fcller about it", "M\u00fcller"),
        (Words(["secret plan"]), "the secret\u00a0plan fails", "secret\u00a0plan"),
        (Words(["secret"]), "a se\u00adcr\u200bet is out", "se\u00adcr\u200bet"),
        (Patterns([r"\d{3}-\d{4}"]), "call 555\u20111234 now", "555\u20111234"),
        (Lexicon(["insults"]), "you \uff49diot you", "\uff49diot"),
        (Lexicon(["insults"]), "you \u0456di\u043et you", "\u0456di\u043et"),
        (Lexicon(["insults"]), "you i\u0336d\u0336i\u0336ot you", "i\u0336d\u0336i\u0336ot"),
        (Words(["secret"]), "a \u0455e\u0441r\u0435t is out", "\u0455e\u0441r\u0435t"),
        (Words(["secret"]), "a se\ufe0fcret is out", "se\ufe0fcret"),
        (Words(["secret"]), "a \ua731\u1d07\u1d04\u0280\u1d07\u1d1b is out", "\ua731\u1d07\u1d04\u0280\u1d07\u1d1b"),
        (Words(["secret"]), "a s3cr3t is out", "s3cr3t"),
        (Words(["secret"]), "a \u0455\u0435\u0441r3t is out", "\u0455\u0435\u0441r3t"),
        (Words(["top secret"]), "t0p \u0455ecret, all of it", "t0p \u0455ecret"),
        (Words(["APEX"]), "ask \u0410\u0420\u0415\u0425 now", "\u0410\u0420\u0415\u0425"),
    ],
)
def test_rules_see_what_is_written_in_another_way_and_where(rule, text, said) -> None:
    found = first_breach(text, [rule])
    assert found is not None and text[found.hit.start : found.hit.end] == said
    watch = Watch([rule])
    out = "".join([watch.feed(letter) for letter in text]) + watch.finish()
    assert watch.breach is not None and said not in out and text.startswith(out)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (
            "cop",
            "\u042d\u0442\u043e \u0441\u043e\u0440, \u0430 \u043d\u0435 \u043c\u0443\u0441\u043e\u0440",
        ),  # Russian, of litter
        ("soi", "the number 501 is no word"),
        ("top", "top3 and 10p are none either"),
        ("ano", "a\u00f1o nuevo"),
    ],
)
def test_what_is_a_word_or_number_of_its_own_is_read_as_such(word, text) -> None:
    assert first_breach(text, [Words([word])]) is None


def test_a_word_in_its_own_alphabet_is_still_found_beside_latin_ones() -> None:
    assert first_breach("ask \u0441\u043e\u0440 now", [Words(["\u0441\u043e\u0440"])]) is not None


@given(st.text())
def test_letters_that_look_alike_stand_where_they_stood(text) -> None:
    assert len(latin(text)) == len(plain(latin(text))) == len(text)


@given(st.text())
def test_every_place_of_a_folded_text_is_known(text) -> None:
    read = fold(text)
    places = [read.was(at, at + 1) for at in range(len(read.text))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)
    assert fold(read.text).text == fold(fold(read.text).text).text


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_plain_text_is_as_it_was(text) -> None:
    assert fold(text).text == text and fold(text).was(0, 1) == (0, 1)


@given(st.text(alphabet=st.characters(max_codepoint=0x36F)))
def test_both_ways_of_writing_a_letter_with_marks_are_one(text) -> None:
    composed, apart = (fold(unicodedata.normalize(form, text)).text for form in ("NFC", "NFD"))
    assert composed == apart
