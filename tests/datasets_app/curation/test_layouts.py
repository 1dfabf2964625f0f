"""Which column means what."""

from __future__ import annotations

import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.layouts import guess_mapping, mapping_from_json
from datasets_app.curation.rows import Record


def guess(*rows):
    return guess_mapping([Record(place, None, values) for place, values in enumerate(rows)])


@pytest.mark.parametrize(
    ("values", "layout"),
    [
        ({"messages": [{"role": "user", "content": "a"}]}, "messages"),
        ({"conversations": [{"from": "human", "value": "a"}]}, "sharegpt"),
        ({"instruction": "a", "input": "", "output": "b"}, "alpaca"),
        ({"prompt": "a", "completion": "b"}, "prompt_completion"),
        ({"Customer Message": "a", "Agent Reply": "b"}, "prompt_completion"),
        ({"question": "a", "answer": "b"}, "question_answer"),
        ({"text": "a", "category": "b"}, "text_label"),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "preference"),
        ({"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}, "preference"),
        ({"chosen": [{"role": "user", "content": "a"}], "rejected": [{"role": "user", "content": "a"}]}, "messages"),
        ({"chosen": "Human: a\n\nAssistant: b", "rejected": "Human: a\n\nAssistant: c"}, "messages"),
        ({"text": "a"}, "text"),
        ({"x": 1, "y": 2}, "unknown"),
    ],
)
def test_the_layout_is_told_by_names_and_shapes(values, layout):
    assert guess(values).layout == layout


def test_rows_that_are_turns_are_recognised_by_their_speakers():
    rows = [
        {
            "ticket_id": place // 3,
            "turn": place % 3,
            "speaker": ("customer", "agent")[place % 2],
            "text": f"line {place}",
        }
        for place in range(12)
    ]
    found = guess(*rows)
    assert (found.layout, found.conversation, found.speaker, found.turn) == ("turns", "ticket_id", "speaker", "turn")


def test_without_names_short_values_that_come_back_are_labels():
    rows = [
        {"column_1": ("ham", "spam")[place % 2], "column_2": f"a longer text, number {place}"} for place in range(12)
    ]
    found = guess(*rows)
    assert (found.prompt, found.label) == ("column_2", "column_1")


def test_a_conversation_column_becomes_the_group():
    assert guess({"prompt": "a", "completion": "b", "Conversation ID": 7}).group == ("Conversation ID",)


def test_a_mapping_survives_the_way_through_json():
    found = guess({"instruction": "a", "input": "", "output": "b", "ticket_id": 1})
    assert mapping_from_json(found.as_json()) == found


@pytest.mark.parametrize(
    "given", [{"prompt": "a"}, {"prompt": "a", "answer": "b"}, {"label": "a"}, {"prompt": "a", "group": 3}]
)
def test_a_mapping_without_question_and_answer_is_refused(given):
    with pytest.raises(Refusal) as refused:
        mapping_from_json(given)
    assert refused.value.code == "bad_mapping"


def test_the_other_answer_of_a_pair_survives_the_way_through_json():
    found = guess({"prompt": "a", "chosen": "b", "rejected": "c"})
    assert (found.completion, found.rejected) == ("chosen", "rejected")
    assert mapping_from_json(found.as_json()) == found


@pytest.mark.parametrize(
    "names", [("Frage", "Antwort"), ("Question", "Réponse"), ("问题", "答案"), ("Вопрос", "Ответ")]
)
def test_questions_and_answers_are_known_by_their_names_in_other_languages(names):
    found = guess_mapping([Record(0, 1, dict(zip(names, ("a", "b"), strict=True)))])
    assert (found.prompt, found.completion) == names
