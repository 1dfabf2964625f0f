"""Whom texts speak of."""

from __future__ import annotations

from datasets_app.curation.quality.groups import People, groups_by_word


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


def test_the_list_is_lower_case_and_has_groups_throughout():
    assert all(word == word.lower() and word.isalpha() for word in groups_by_word())
    assert all(kind and name for groups in groups_by_word().values() for kind, name in groups)
