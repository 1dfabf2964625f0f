"""What is kept of a request: gathered whatever its shape, and nothing of it in clear that can be found or cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from serving_app.guardrails.personal import Personal
from serving_app.guardrails.record import Record, scrubbed_texts


def question_of(**body: Any) -> dict[str, Any]:
    return scrubbed_texts(body, [], Personal())[0]


def called(arguments: str) -> list[dict[str, Any]]:
    return [{"content": "", "finish_reason": "tool_calls", "calls": [{"name": "find", "arguments": arguments}]}]


def kept_arguments(arguments: str, *asked: str) -> str:
    turns = [{"role": "assistant", "content": text} for text in asked]
    [answer] = scrubbed_texts({"messages": turns}, called(arguments), Personal())[1]
    return str(answer["calls"][0]["arguments"])


def test_what_is_kept_is_what_every_database_takes() -> None:
    answers = [{"content": "a\x00\ud800b", "finish_reason": "stop", "calls": []}]
    body = {"model": "m", "messages": [{"role": "user", "content": "call\x00 +44 20 7946 0958"}]}
    question, kept = scrubbed_texts(body, answers, Personal())
    assert question == {"messages": [{"role": "user", "content": "call [PHONE]"}]} and kept[0]["content"] == "a?b"


def test_calls_are_recorded_from_chunks_and_from_whole_bodies() -> None:
    def call(**function: str) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": function}]}}]}

    record = Record()
    for body in (call(name="find", arguments=""), call(arguments='{"a"'), call(arguments=": 1}")):
        record.add(body)
    record.add({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    calls = [{"name": "find", "arguments": '{"a": 1}'}]
    assert record.answers == [{"content": "", "finish_reason": "tool_calls", "calls": calls}]


@pytest.mark.parametrize(
    "body",
    [
        {"choices": None},
        {"choices": [None, 3]},
        {"choices": [{"message": {"content": [{"type": "text", "text": "a"}]}}]},
        {"choices": [{"message": "a", "delta": ["a"], "text": 3, "index": "x", "finish_reason": {}}]},
        {
            "choices": [
                {"delta": {"tool_calls": {"a": 1}}},
                {"delta": {"tool_calls": [3, {"function": "f", "index": "x"}]}},
            ]
        },
        {"choices": [{"delta": {"tool_calls": [{"function": {"name": 3, "arguments": {"a": 1}}}]}}]},
    ],
)
def test_an_answer_of_another_shape_is_left_out_and_never_a_breakdown(body) -> None:
    record = Record()
    record.add(body)
    record.add({"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]})
    assert (record.answers[0]["content"], record.answers[0]["finish_reason"]) == ("Hello", "stop")


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ([15, 2, 3], "[TOKEN_IDS]"),
        ([[15, 2, 3], "a@b.org"], ["[TOKEN_IDS]", "[EMAIL]"]),
        ([[15.0, 2.0]], ["[TOKEN_IDS]"]),
        ([[[15]]], [["[TOKEN_IDS]"]]),
    ],
)
def test_token_ids_are_not_kept_for_they_decode_to_the_text(prompt, kept) -> None:
    assert question_of(prompt=prompt) == {"prompt": kept}


def test_arguments_of_calls_are_hidden_by_their_names_at_any_depth() -> None:
    assert kept_arguments('{"account_number": "8472910", "city": "Bern"}') == (
        '{"account_number": "[ACCOUNT]", "city": "Bern"}'
    )
    assert kept_arguments('{"who": {"customerName": "Jane Doe", "account": {"number": 8472910}}, "urgent": true}') == (
        '{"who": {"customerName": "[PERSON]", "account": {"number": "[ACCOUNT]"}}, "urgent": true}'
    )
    assert kept_arguments('{"phones": ["555 1234"], "jane@x.org": 3, "to": ["jane@x.org"]}') == (
        '{"phones": ["[PHONE]"], "[EMAIL]": 3, "to": ["[EMAIL]"]}'
    )


def test_arguments_are_read_with_the_turns_before_them() -> None:
    assert kept_arguments('{"value": "523847112"}', "What's your SSN?") == '{"value": "[SSN]"}'
    assert kept_arguments('{"value": 523847112}', "What's your SSN?") == '{"value": "[SSN]"}'


@pytest.mark.parametrize(
    "arguments",
    ["", "jane", '{"account_number": "8472910"', '"8472910"', "8472910", pytest.param("[" * 100_000, id="deep")],
)
def test_arguments_that_are_no_json_object_are_not_kept(arguments) -> None:
    assert kept_arguments(arguments) == ""


def test_earlier_calls_and_what_tools_said_are_hidden_alike() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"account_number": "8472910"}'}}
    turns = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": '[{"surname": "Doe", "open": 3}]'},
    ]
    first, second = question_of(messages=turns)["messages"]
    assert first["tool_calls"][0]["function"] == {"name": "find", "arguments": '{"account_number": "[ACCOUNT]"}'}
    assert second["content"] == '[{"surname": "[PERSON]", "open": 3}]'
