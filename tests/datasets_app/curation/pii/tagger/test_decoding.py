from __future__ import annotations

import numpy as np

from datasets_app.curation.pii.tagger.decoding import spans_of
from datasets_app.curation.pii.tagger.labels import OUTSIDE, TAGS, begins
from datasets_app.curation.pii.tagger.tokens import tokenize

PERSON, ADDRESS = begins("PERSON"), begins("ADDRESS")


def found(text: str, tags: list[tuple[int, float]], least: float = 0.5) -> list[tuple[str, str]]:
    """What is found when each token is `tag` with this probability and ordinary with the rest."""
    table = np.zeros((len(tags), TAGS), np.float32)
    for place, (tag, share) in enumerate(tags):
        table[place, OUTSIDE] += 1 - share
        table[place, tag] += share
    return [(text[span.start : span.end], span.entity_type) for span in spans_of(tokenize(text), table, least)]


def test_tokens_of_one_entity_are_one_finding_and_the_next_beginning_is_another() -> None:
    tags = [(PERSON, 0.9), (PERSON + 1, 0.9), (PERSON, 0.9), (OUTSIDE, 1.0)]
    assert found("Alice Bob Charlie came", tags) == [("Alice Bob", "PERSON"), ("Charlie", "PERSON")]


def test_marks_at_the_rim_are_left_out_and_a_finding_of_marks_alone_is_none() -> None:
    assert found(", Alice ,", [(PERSON, 0.9), (PERSON + 1, 0.9), (PERSON + 1, 0.9)]) == [("Alice", "PERSON")]
    assert found("- -", [(PERSON, 0.9), (PERSON + 1, 0.9)]) == []


def test_a_doubtful_token_between_two_of_one_entity_is_taken_along() -> None:
    tags = [(ADDRESS, 0.9), (ADDRESS + 1, 0.3), (ADDRESS + 1, 0.9)]
    assert found("12 Main Street", tags) == [("12 Main Street", "ADDRESS")]
    assert found("12 Main Street", [(ADDRESS, 0.9), (ADDRESS + 1, 0.1), (ADDRESS + 1, 0.9)]) == [
        ("12", "ADDRESS"),
        ("Street", "ADDRESS"),
    ]


def test_the_least_probability_decides() -> None:
    assert found("Alice", [(PERSON, 0.6)]) == [("Alice", "PERSON")]
    assert found("Alice", [(PERSON, 0.6)], least=0.7) == []
