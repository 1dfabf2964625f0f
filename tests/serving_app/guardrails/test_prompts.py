"""What of a request is read and hidden; odd bodies are left as they are for the engine to refuse."""

from __future__ import annotations

import sys
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


def parts(*texts: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}


def test_what_is_spread_over_parts_is_read_as_engines_join_it() -> None:
    assert read_prompt({"messages": [parts("fal", "con")]}, guard(words=["falcon"])).breach is not None
    assert read_prompt({"messages": [parts("falcon", "s")]}, guard(words=["falcon"])).breach is not None
    found = read_prompt({"messages": [parts("I am jane@", "x.org", ", hello")]}, guard(personal_data="mask"))
    assert found.body["messages"] == [parts("I am [EMAIL], hello")] and found.masked == 1
    plain = {"messages": [parts("I am ", "well")]}
    assert read_prompt(plain, guard(personal_data="mask")).body is plain


def tool(**properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


@pytest.mark.parametrize("name", ["id", "type", "role", "tool_call_id"])
def test_a_property_that_is_called_like_a_label_is_read(name) -> None:
    body = {"tools": [tool(**{name: {"type": "string", "description": "the falcon, jane@x.org"}})]}
    assert read_prompt(body, guard(words=["falcon"])).breach is not None
    assert "jane" not in str(read_prompt(body, guard(personal_data="mask")).body)
    told = {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": {name: "falcon"}}}]}]}
    assert read_prompt(told, guard(words=["falcon"])).breach is not None


def test_names_of_properties_are_read_and_hidden_and_the_words_of_a_schema_are_nobodys() -> None:
    body = {"tools": [tool(falcon={"type": "string"})]}
    assert read_prompt(body, guard(words=["falcon"])).breach is not None
    assert read_prompt(body, guard(words=["string", "properties", "function"])).breach is None
    both = {"response_format": tool(**{"jane@x.org": {}, "john@x.org": {}})}
    schema = read_prompt(both, guard(personal_data="mask")).body["response_format"]["function"]["parameters"]
    assert list(schema["properties"]) == ["[EMAIL]", "[EMAIL]_"]


def steps_of(work: Any) -> int:
    """How many steps Python takes: work, however fast the machine."""
    count = 0

    def see(frame: Any, event: str, _argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return see

    before = sys.gettrace()
    sys.settrace(see)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "conversation",
    [
        lambda size: [{"role": "user", "content": "my number is 4711882"}] * size,
        lambda size: [{"role": "user", "content": "4711882"}] * size,
        lambda size: [{"role": "user", "content": "jane@x.org " * size}],
        lambda size: [{"role": "user", "content": "account 4711882, pin 4711 and 12 " * size}],
    ],
)
def test_work_grows_with_the_length_of_a_prompt_and_no_faster(conversation) -> None:
    hides = guard(personal_data="mask")
    few, many = ({"messages": conversation(size)} for size in (50, 400))
    assert steps_of(lambda: read_prompt(many, hides)) < 10 * steps_of(lambda: read_prompt(few, hides))


def test_a_prompt_that_is_longer_than_any_context_is_not_read() -> None:
    body = {"messages": [{"role": "user", "content": "falcon " * 300_000}]}
    found = read_prompt(body, guard(words=["falcon"]))
    assert found.is_too_long and found.breach is None
