"""Moderation by the word list, through the official client, whose types every answer is checked against."""

from __future__ import annotations

import openai
import pytest

MODEL = "studio-lexicon-2"


def flagged(result) -> set[str]:
    assert result.flagged == any(result.categories.model_dump().values())
    scores = result.category_scores.model_dump(by_alias=True)
    assert {name for name, score in scores.items() if score} == {
        name for name, hit in result.categories.model_dump(by_alias=True).items() if hit
    }
    return {name for name, score in scores.items() if score}


def test_each_text_is_judged_by_itself(client):
    texts = ["Where is my parcel?", "You idiot.", "kill yourself", "That is fucking late."]
    found = client.moderations.create(input=texts)
    assert found.model == MODEL and found.id.startswith("modr-")
    assert [flagged(result) for result in found.results] == [
        set(),
        {"harassment"},
        {"harassment", "harassment/threatening"},
        set(),
    ]


def test_parts_are_one_input_and_masked_words_are_seen(client):
    parts = [{"type": "text", "text": "Well,"}, {"type": "text", "text": "you m0ron"}]
    [result] = client.moderations.create(input=parts, model=MODEL).results
    assert flagged(result) == {"harassment"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": [1]}, "input"),
        ({"input": ["x"] * 65}, "input"),
        ({"input": "x" * 200_001}, "input"),
        ({"input": [{"type": "image_url", "image_url": {"url": "x"}}]}, "input[0]"),
        ({"input": [{"type": "text", "text": "x"}, "x"]}, "input[1]"),
        ({"input": "x", "model": 1}, "model"),
        ({"input": "x", "extra_body": {"user": "u"}}, "user"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(client, body, param):
    with pytest.raises(openai.BadRequestError) as refused:
        client.moderations.create(**body)
    assert refused.value.param == param


def test_another_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as refused:
        client.moderations.create(input="x", model="omni-moderation-latest")
    assert refused.value.code == "model_not_found" and MODEL in str(refused.value)
