"""Answers in OpenAI's bodies, whole and in chunks: text, calls, several choices."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from serving_app.guardrails.answers import AnswerGuard, answers_wanted
from serving_app.guardrails.guard import guard_of
from serving_app.guardrails.personal import Personal


def guard(wanted: int = 1) -> AnswerGuard:
    found = guard_of({}, {"words": ["falcon"]}, Personal())
    assert found is not None
    return AnswerGuard(found, wanted=wanted)


def chunk(delta: dict[str, Any], *, at: int = 0, reason: str | None = None) -> dict[str, Any]:
    choice = {"index": at, "delta": delta, "finish_reason": reason, "logprobs": None}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def through(watch: AnswerGuard, *chunks: dict[str, Any]) -> list[dict[str, Any]]:
    return [out["choices"][0] for each in chunks for out in watch.chunks(each)]


def test_the_role_opens_text_follows_and_the_end_comes_last() -> None:
    found = through(
        guard(),
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "All is well "}),
        chunk({"content": "here."}),
        chunk({}, reason="stop"),
    )
    assert found[0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(each["delta"].get("content", "") for each in found) == "All is well here."
    assert found[-1]["delta"] == {} and [each["finish_reason"] for each in found[:-1]] == [None] * (len(found) - 1)
    assert found[-1]["finish_reason"] == "stop"


def test_a_stopped_choice_ends_once_and_the_others_go_on() -> None:
    watch = guard(wanted=2)
    found = through(
        watch,
        chunk({"content": "the falcon flies"}, at=0),
        chunk({"content": "nothing here"}, at=1),
        chunk({"content": " and flies"}, at=0),
        chunk({}, at=0, reason="stop"),
    )
    assert [(each["index"], each["finish_reason"]) for each in found if each["finish_reason"]] == [
        (0, "content_filter")
    ]
    assert not watch.has_stopped and watch.finish_reason == "content_filter"
    through(watch, chunk({}, at=1, reason="stop"))
    assert watch.has_stopped and len(watch.new_breaches()) == 1 and watch.new_breaches() == []


def test_the_arguments_of_a_call_are_looked_at_and_held_back_ones_come_at_the_end() -> None:
    def call(arguments: str, **more: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": 0, **more, "function": {"arguments": arguments}}]}

    opened = chunk(
        {"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": ""}}]}
    )
    found = through(guard(), opened, chunk(call('{"to": ')), chunk(call('"me"}')), chunk({}, reason="tool_calls"))
    said = [piece["function"]["arguments"] for each in found for piece in each["delta"].get("tool_calls", [])]
    assert "".join(said) == '{"to": "me"}' and found[0]["delta"]["tool_calls"][0]["id"] == "x"
    assert found[-1]["finish_reason"] == "tool_calls"
    found = through(guard(), opened, chunk(call('{"to": "falcon"}')), chunk({}, reason="tool_calls"))
    assert "falcon" not in str(found) and found[-1]["finish_reason"] == "content_filter"


def test_a_whole_answer_that_calls_with_a_forbidden_word_calls_nothing() -> None:
    calls = [{"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"to": "falcon"}'}}]
    message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": calls}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls", "logprobs": None}]}
    guard().whole(body)
    assert body["choices"][0]["finish_reason"] == "content_filter" and "tool_calls" not in message


def test_a_chunk_that_only_tells_the_usage_passes() -> None:
    body = {"choices": [], "usage": {"total_tokens": 3}}
    assert list(guard().chunks(body)) == [body]


def test_how_many_answers_a_request_asks_for() -> None:
    assert answers_wanted({"messages": []}) == 1 and answers_wanted({"messages": [], "n": 3}) == 3
    assert answers_wanted({"prompt": ["a", "b"], "n": 2}) == 4 and answers_wanted({"prompt": [1, 2]}) == 1
    assert answers_wanted({"prompt": "a", "n": "many"}) == 1


@pytest.mark.parametrize(
    "said",
    [
        {"reasoning_content": "of the falcon"},
        {"function_call": {"name": "f", "arguments": "falcon"}},
        {"function_call": {"name": "falcon", "arguments": "{}"}},
        {
            "tool_calls": [
                {"index": 0, "id": "x", "type": "function", "function": {"name": "falcon", "arguments": "{}"}}
            ]
        },
        {"audio": {"transcript": "a falcon"}},
    ],
)
def test_every_text_of_an_answer_is_looked_at_whole_and_in_chunks(said) -> None:
    message = {"role": "assistant", "content": "", **copy.deepcopy(said)}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    guard().whole(body)
    assert "falcon" not in str(body) and body["choices"][0]["finish_reason"] == "content_filter"
    for opening in ({}, {"role": "assistant"}):
        found = through(guard(), chunk({**opening, **copy.deepcopy(said)}), chunk({}, reason="stop"))
        assert "falcon" not in str(found) and found[-1]["finish_reason"] == "content_filter"


def test_thoughts_and_names_come_through_and_a_name_in_one_piece() -> None:
    call = {"index": 1, "id": "x", "type": "function", "function": {"name": "look_up", "arguments": '{"a": 1}'}}
    found = through(
        guard(),
        chunk({"reasoning_content": "let me "}),
        chunk({"reasoning_content": "think"}),
        chunk({"tool_calls": [call]}),
        chunk({}, reason="tool_calls"),
    )
    assert "".join(each["delta"].get("reasoning_content", "") for each in found) == "let me think"
    calls = [each for out in found for each in out["delta"].get("tool_calls", [])]
    assert calls[0]["function"]["name"] == "look_up" and {each["index"] for each in calls} == {1}
    assert "".join(each["function"]["arguments"] for each in calls) == '{"a": 1}'


def test_what_is_held_back_comes_out_when_a_stream_ends_without_a_reason_unless_it_breaks_a_rule() -> None:
    for text, seen, reason in (("all is well", "all is well", None), ("a falcon", "a ", "content_filter")):
        watch = guard()
        out = through(watch, chunk({"content": text}))
        out += [each["choices"][0] for each in watch.rest({"id": "c"})]
        assert "".join(each["delta"].get("content", "") for each in out) == seen
        assert out[-1]["finish_reason"] == reason and not list(watch.rest({"id": "c"}))
