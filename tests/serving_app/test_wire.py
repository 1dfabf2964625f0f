"""Streams on their way through: what the caller gets, what the ledger learns, and that most of it need not be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serving_app.guardrails.answers import AnswerGuard
from serving_app.guardrails.guard import guard_of
from serving_app.guardrails.personal import Personal
from serving_app.prices import Tokens
from serving_app.services import wire
from serving_app.services.wire import Rewriter

USAGE = {"prompt_tokens": 3, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 2}}
NASTY = ('"finish_reason":"stop"', ',"usage":null}', '{"error":{"message":"no"}}', 'model":"model_1@aa', "a\nb", "é\\")


def piece(*texts: str, reasons: tuple[str | None, ...] = (None,), **more: Any) -> bytes:
    choices = [
        {"index": at, "delta": {"content": text}, "logprobs": None, "finish_reason": reason}
        for at, (text, reason) in enumerate(zip(texts, reasons, strict=True))
    ]
    body = {"id": "c", "object": "chat.completion.chunk", "model": "model_1@aa", "choices": choices, **more}
    return b"data: " + json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


def events(data: bytes) -> list[Any]:
    return [json.loads(block[6:]) for block in data.split(b"\n\n") if block]


def rewriter(*, wants_usage: bool = False, **more: Any) -> Rewriter:
    return Rewriter(
        engine_name="model_1@aa", called="ft:mine", answer_id="chatcmpl-req_1", wants_usage=wants_usage, **more
    )


@pytest.mark.parametrize("wants_usage", [True, False])
def test_a_piece_that_is_not_read_is_what_a_piece_that_is_read_would_be(wants_usage):
    sent = [piece(text, usage=None) for text in ("", "first", *NASTY)]
    sent.append(piece("one", "two", reasons=("stop", None), usage=None))
    sent.append(piece("", reasons=("length",), usage=None))
    ours, expected = rewriter(wants_usage=wants_usage), []
    for body in events(b"".join(sent)):
        body["model"], body["id"] = "ft:mine", "chatcmpl-req_1"
        if not wants_usage:
            del body["usage"]
        expected.append(body)
    assert events(b"".join(ours.feed(each) for each in sent)) == expected
    assert ours.finish_reason == "length" and ours.has_text


def test_once_there_is_text_pieces_pass_unread_until_one_says_something(monkeypatch):
    ours, read = rewriter(), []
    real = json.loads
    monkeypatch.setattr(wire.json, "loads", lambda raw: read.append(raw) or real(raw))
    ours.feed(piece("") + piece("first") + piece("second") + piece("third", usage=None))
    assert len(read) == 2
    ours.feed(piece("", reasons=("stop",)) + piece(usage=USAGE, reasons=()) + b"data: [DONE]\n\n")
    assert len(read) == 4 and ours.done
    assert ours.tokens == Tokens(prompt=3, completion=9, cached=2) and ours.finish_reason == "stop"


@pytest.mark.parametrize("wants_usage", [True, False])
def test_counts_that_the_ledger_alone_asked_for_are_kept_unread_and_not_passed_on(wants_usage, monkeypatch):
    ours, read = rewriter(wants_usage=wants_usage, hides_running=True), []
    real = json.loads
    monkeypatch.setattr(wire.json, "loads", lambda raw: read.append(raw) or real(raw))
    running = [{"prompt_tokens": 3, "total_tokens": 3 + at, "completion_tokens": at} for at in range(6)]
    sent = b"".join(ours.feed(piece(NASTY[at], usage=usage)) for at, usage in enumerate(running))
    assert len(read) == 1 and ours.pieces == 6
    assert ours.counted == Tokens(prompt=3, completion=5)
    assert [body.get("usage", "none") for body in events(sent)] == [None if wants_usage else "none"] * 6
    ours.feed(piece("", reasons=("stop",), usage=running[5]) + piece(usage=USAGE, reasons=()))
    assert ours.counted == ours.tokens == Tokens(prompt=3, completion=9, cached=2)


def test_an_error_in_the_middle_is_seen():
    ours = rewriter()
    ours.feed(piece("first") + piece("second"))
    broken = piece("third", error={"message": "The engine failed."})
    assert ours.feed(broken) == b"" and ours.error == {"message": "The engine failed."}


def test_pieces_may_come_cut_anywhere():
    whole = b"".join(piece(f"word {number}", usage=None) for number in range(20))
    ours, again = rewriter(), rewriter()
    in_bits = b"".join(ours.feed(whole[at : at + 7]) for at in range(0, len(whole), 7))
    assert in_bits == again.feed(whole) and b"model_1" not in in_bits


def test_an_answer_is_complete_by_its_end_mark_or_by_reason_and_usage_and_never_behind_an_error():
    unmarked, cut, failed = rewriter(), rewriter(), rewriter()
    unmarked.feed(piece("a") + piece("", reasons=("length",), usage=USAGE))
    cut.feed(piece("a") + piece("b", reasons=("stop",)))
    failed.feed(piece("a") + b'data: {"error":{"message":"no"}}\n\n' + b"data: [DONE]\n\n")
    assert (unmarked.complete, cut.complete, failed.complete) == (True, False, False)


def test_an_end_mark_without_a_reason_lets_out_what_rules_held_back():
    rules = guard_of({}, {"words": ["falcon"]}, Personal())
    assert rules is not None
    ours = rewriter(wants_usage=True, guard=AnswerGuard(rules))
    sent = ours.feed(piece("All is ") + piece("well") + piece(usage=USAGE, reasons=()))
    assert ours.rest() == b"", "nothing is over yet"
    sent += ours.feed(b"data: [DONE]\n\n") + ours.rest()
    found = [choice["delta"]["content"] for body in events(sent) for choice in body["choices"]]
    assert "".join(found) == "All is well" and ours.complete and ours.finish_reason == ""
    assert [body["usage"] for body in events(sent) if body.get("usage")] == [USAGE]
