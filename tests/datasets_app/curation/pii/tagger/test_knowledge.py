from __future__ import annotations

import pytest

from datasets_app.curation.pii.tagger.knowledge import SURE, Knowledge
from datasets_app.curation.pii.tagger.storing import kinds_of, load, vocabulary_of
from datasets_app.curation.pii.tagger.tagger import MODEL, Tagger
from datasets_app.curation.pii.tagger.tokens import tokenize


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    _weights, about = load(MODEL)
    return Knowledge(kinds_of(about), vocabulary_of(about))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Fine.",
        "thanks!",
        "How do I activate my new card?",
        "I can't see it. We'll wait, they don't mind.",
        "PLEASE HELP ME WITH MY CARD",
        "The table is free on Monday the 8th at 4:45 pm and costs $12.",
        "The shop said: it will rain.",
    ],
)
def test_words_of_the_language_alone_name_nobody(knowledge: Knowledge, text: str) -> None:
    assert knowledge.names_nobody(tokenize(text))


@pytest.mark.parametrize(
    "text",
    [
        "Charlie",
        "thanks charlie, it works again now",
        "i met zuleikha at the station",
        "They went home with Rose and it was late",
        "it was sent to 415 center street last week",
        "rose",
        "4471",
        "the bill came to Stirling and was paid",
    ],
)
def test_a_name_a_number_or_a_word_that_nobody_knows_is_looked_at(knowledge: Knowledge, text: str) -> None:
    assert not knowledge.names_nobody(tokenize(text))


@pytest.mark.parametrize(
    ("value", "entity", "shouts", "least"),
    [
        ("Sentence", "PERSON", False, SURE),
        ("Raw Garlic", "PERSON", False, SURE),
        ("XQZ", "PERSON", False, SURE),
        ("MARWICK", "PERSON", True, 0.0),
        ("MergeSort", "PERSON", False, SURE),
        ("McMarwick", "PERSON", False, 0.0),
        ("Bob Marwick", "PERSON", False, 0.0),
        ("Sentence", "ORGANIZATION", False, 0.0),
    ],
)
def test_a_person_of_ordinary_words_or_of_an_abbreviation_must_be_surer(
    knowledge: Knowledge, value: str, entity: str, shouts: bool, least: float
) -> None:
    assert knowledge.least(tokenize(value), entity, shouts=shouts) == least


def test_a_word_that_is_written_like_a_name_and_known_as_nothing_else_is_believed_sooner(knowledge: Knowledge) -> None:
    assert knowledge.may_be_name("Charlie") and knowledge.may_be_name("Zqvorik")
    assert not any(map(knowledge.may_be_name, ("charlie", "Sentence", "London")))


def test_a_text_that_names_nobody_is_answered_without_being_read() -> None:
    tagger = Tagger.load()
    assert tagger.spans(["How do I activate my new card?"], [["What is your name?"]]) == [[]]
    assert not tagger._places
