"""Names by the words before them."""

from __future__ import annotations

import pytest

from datasets_app.curation.pii.introductions import find, is_address_of_respect


def found(text):
    return [text[span.start : span.end] for span in find(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my name is kivek", "kivek"),
        ("Hello, my name is Kivek Renar and I lost my card", "Kivek Renar"),
        ("my full name's Kivek B. Renar.", "Kivek B. Renar."),
        ("Name: Renar\nCity: none", "Renar"),
        ("and the name is renar, ssn 4471", "renar"),
    ],
)
def test_a_name_stands_behind_its_opening(text, name):
    assert found(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "my name is on the list",
        "the name is wrong",
        "my name is not shown",
        "call me later",
        "a song named Pisces",
        "file name: value",
        "name = value",
        "rename is slow",
        "my name is",
        "What is your name?",
    ],
)
def test_words_of_the_language_are_no_names(text):
    assert found(text) == []


def test_strangers_are_addressed_without_a_name():
    assert (
        is_address_of_respect("Sir") and is_address_of_respect("dear madam") and not is_address_of_respect("Mr. Renar")
    )
