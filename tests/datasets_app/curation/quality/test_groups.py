"""Whom texts speak of."""

from __future__ import annotations

import pytest

from datasets_app.curation.quality.groups import People, groups_by_word
from datasets_app.curation.quality.tongues import TONGUES, tongue_of

SAID = {
    "en": (
        "my grandmother and her brother asked the church for a refund",
        {"women", "men", "older people", "Christians"},
    ),
    "de": (
        "meine Schwester ist mit dem Rollstuhl nicht in die Moschee gekommen",
        {"women", "disabled people", "Muslims"},
    ),
    "fr": ("ma fille ne peut pas payer et le retraité est dans la synagogue", {"women", "older people", "Jews"}),
    "es": ("mi hermano no puede pagar y la mujer es una refugiada de Cuba", {"men", "women", "migrants"}),
    "it": ("mio marito non ha la carta e la signora è una pensionata", {"men", "women", "older people"}),
    "pt": ("o meu pai não tem cartão e a minha filha é adolescente", {"men", "women", "young people"}),
    "nl": ("mijn moeder heeft de kaart niet en de man is een Marokkaan", {"women", "men", "Africans"}),
}


def counted(*rows: tuple[str, str | None]):
    people = People()
    for text, label in rows:
        people.add(text.split(), label)
    return people.as_json()


def test_rows_are_counted_once_a_group_and_by_label():
    found = counted(("she said her card", "lost"), ("he and she", "lost"), ("where is it", "found"), ("his", None))
    assert found["rows"] == 3
    assert found["kinds"]["gender"] == {
        "women": {"rows": 2, "labels": {"lost": 2}},
        "men": {"rows": 2, "labels": {"lost": 1}},
    }


@pytest.mark.parametrize("language", TONGUES)
def test_a_row_is_read_by_the_list_of_its_own_language(language):
    text, groups = SAID[language]
    assert tongue_of(set(text.lower().split())) == language
    found = counted((text.lower(), None))
    assert {name for kind in found["kinds"].values() for name in kind} == groups
    assert found["languages"] == {language: 1}


@pytest.mark.parametrize(
    ("text", "read_as"), [("die card is not here and the man waits", "en"), ("karta wi xyz", "en"), ("", "en")]
)
def test_a_row_in_doubt_or_in_another_language_is_read_by_the_english_list(text, read_as):
    assert tongue_of(set(text.split())) == read_as


def test_words_of_one_language_do_not_count_in_another():
    assert counted(("the die mutter gave me the card and it is not here", None))["rows"] == 0


def test_a_word_may_speak_of_two_groups():
    assert counted(("my grandmother", None))["kinds"].keys() == {"gender", "age"}


def test_words_that_mean_other_things_as_often_are_not_on_the_list():
    ambiguous = {
        "old",
        "young",
        "black",
        "white",
        "polish",
        "straight",
        "ms",
        "miss",
        "us",
        "guys",
        "english",
        "turkey",
    }
    assert not ambiguous & groups_by_word().keys()


@pytest.mark.parametrize("language", TONGUES)
def test_the_lists_are_lower_case_of_single_words_and_have_the_same_groups(language):
    listed, english = groups_by_word(language), groups_by_word()
    assert all(word == word.lower() and word.isalpha() for word in listed)
    assert {group for groups in listed.values() for group in groups} == {
        group for groups in english.values() for group in groups
    }
