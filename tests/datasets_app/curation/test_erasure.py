"""What is erased is known by digest: found in any case and signs, never as part of another word, and never kept."""

from __future__ import annotations

import json

import pytest

from datasets_app.curation.erasure import Erased, Phrase, fault
from datasets_app.curation.pii.keys import Keys

KEYS = Keys(b"a secret of the workspace")


@pytest.mark.parametrize("text", ["I am JANE  DOE.", "jane_x? Jane, Doe!", "Ask Jane\nDoe"])
def test_a_phrase_is_found_whatever_its_case_and_signs(text) -> None:
    phrase = Phrase.of("Jane Doe")
    assert phrase.is_in(text) and Erased([phrase.entry(KEYS)], KEYS).is_in(text)


@pytest.mark.parametrize("text", ["Mary-Jane Doerr", "Doe Jane", "Jane", "", "Janedoe"])
def test_part_of_a_word_or_another_order_is_something_else(text) -> None:
    phrase = Phrase.of("Jane Doe")
    assert not phrase.is_in(text) and not Erased([phrase.entry(KEYS)], KEYS).is_in(text)


def test_an_address_is_a_phrase_of_its_words() -> None:
    phrase = Phrase.of("jane.doe@mail.example")
    assert phrase.words == 4 and phrase.is_in("write to <Jane.Doe@MAIL.example>")


def test_an_entry_gives_nothing_away_and_means_nothing_under_another_secret() -> None:
    entry = Phrase.of("Jane Doe").entry(KEYS)
    assert "jane" not in json.dumps(entry).lower()
    assert not Erased([entry], Keys(b"another secret")).is_in("Jane Doe")


def test_phrases_of_several_lengths_are_looked_for_together() -> None:
    erased = Erased([Phrase.of(text).entry(KEYS) for text in ("Jane Doe", "jane@mail.example", "Xanthippe")], KEYS)
    assert [erased.is_in(text) for text in ("it is jane doe", "jane@mail.example", "Xanthippe!", "nobody")] == [
        True,
        True,
        True,
        False,
    ]
    assert not Erased([], KEYS).is_in("jane doe")


@pytest.mark.parametrize(
    "entries",
    [
        None,
        [1],
        [{"digest": "a"}],
        [{"digest": "a", "words": 0}],
        [{"digest": 1, "words": 1}],
        [{"file": 1, "record": 1}],
    ],
)
def test_a_list_that_is_none_is_refused(entries) -> None:
    assert "digest" in fault(entries)
    assert fault([{"digest": "a", "words": 2}, {"file": "a.csv", "record": 3}]) is None
