"""What of a request is read and hidden; odd bodies are left as they are for the engine to refuse."""

from __future__ import annotations

from typing import Any

import pytest

from serving_app.guardrails.guard import Guard, guard_of
from serving_app.guardrails.personal import Personal
from serving_app.guardrails.prompts import read_prompt


def guard(**side: Any) -> Guard:
    found = guard_of(side, {}, Personal())
    assert found is not None
    return found


def test_without_a_rule_there_is_no_guard() -> None:
    assert guard_of({"personal_data": "allow", "words": []}, {"personal_data": "allow"}, Personal()) is None


def test_texts_are_hidden_in_place_and_everything_else_stays() -> None:
    body = {
        "model": "m",
        "temperature": 0.5,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "I am at jane@x.org"}], "name": "jane@x.org"},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "jane@x.org", "type": "function", "function": {"name": "f", "arguments": '{"to": "jane@x.org"}'}}
            ]},
            {"role": "tool", "tool_call_id": "jane@x.org", "content": "sent to jane@x.org"},
        ],
    }  # fmt: skip
    found = read_prompt(body, guard(personal_data="mask"))
    assert found.masked == 4 and found.breach is None
    first, second, third = found.body["messages"]
    assert first == {"role": "user", "content": [{"type": "text", "text": "I am at [EMAIL]"}], "name": "[EMAIL]"}
    assert second["tool_calls"][0]["id"] == "jane@x.org" == third["tool_call_id"]
    assert second["tool_calls"][0]["function"]["arguments"] == '{"to": "[EMAIL]"}'
    assert third["content"] == "sent to [EMAIL]" and found.body["temperature"] == 0.5
    assert body["messages"][0]["content"][0]["text"] == "I am at jane@x.org"


def test_a_bare_number_is_hidden_where_the_turn_before_asked_for_one() -> None:
    turns = [{"role": "assistant", "content": "What's your SSN?"}, {"role": "user", "content": "523847112"}]
    assert "523847112" not in str(read_prompt({"messages": turns}, guard(personal_data="mask")).body)
    alone = {"messages": [{"role": "user", "content": "count to 523"}]}
    assert read_prompt(alone, guard(personal_data="mask")).body is alone


@pytest.mark.parametrize("messages", [None, 3, "falcon?", [3], [None], [{"content": {"text": ["falcon?"]}}], {"a": 1}])
def test_a_body_of_another_shape_is_looked_through_and_never_a_breakdown(messages) -> None:
    found = read_prompt({"messages": messages}, guard(words=["falcon"], personal_data="mask"))
    assert (found.breach is not None) == ("falcon" in str(messages))


@pytest.mark.parametrize("prompt", [[1, 2], [[1], [2]], ["a", [1]]])
def test_token_ids_cannot_be_read(prompt) -> None:
    assert read_prompt({"prompt": prompt}, guard(words=["falcon"])).unread == "prompt"
