"""Who says what in a transcript."""

from __future__ import annotations

import pytest

from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.mapping import map_record
from datasets_app.curation.rows import Conversation, Record
from datasets_app.curation.transcripts import is_transcript, parse_transcript

TALK = ColumnMap(layout="transcript", messages="talk")


def mapped(text: str):
    return map_record(Record(0, 1, {"talk": text}), TALK, system_prompt="")


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        (
            "Agent: Hi\nCustomer: It broke\nbadly\nAgent: Sorry",
            [("Agent", "Hi"), ("Customer", "It broke\nbadly"), ("Agent", "Sorry")],
        ),
        (
            "Agent: Hi. Customer: It broke. Agent: Sorry.",
            [("Agent", "Hi."), ("Customer", "It broke."), ("Agent", "Sorry.")],
        ),
        ("[10:01] Dora: Hi\n[10:02] Bob: Hello", [("Dora", "Hi"), ("Bob", "Hello")]),
        ("12/31/23, 10:15 PM - Dora: Hi\n12/31/23, 10:16 PM - Bob: Hello", [("Dora", "Hi"), ("Bob", "Hello")]),
        ("Customer (10:02): Hi\nAgent (10:03): Hello", [("Customer", "Hi"), ("Agent", "Hello")]),
        ("**User:** Hi\n**Assistant:** Hello", [("User", "Hi"), ("Assistant", "Hello")]),
        ("Q: Why?\nA: Because.", [("Q", "Why?"), ("A", "Because.")]),
    ],
)
def test_turns_are_told_by_names_before_colons(text, turns):
    assert parse_transcript(text) == turns


@pytest.mark.parametrize("text", ["Just a sentence.", "Note: read this", "See https://a.example: it is here", ""])
def test_prose_is_no_transcript(text):
    assert not is_transcript(text)


def test_turns_that_only_call_a_tool_are_empty():
    found = mapped('user: Where is it?\nassistant: None\ntool: {"at": "door"}\nassistant: At your door.')
    assert isinstance(found, Conversation)
    assert [(turn["role"], turn["content"]) for turn in found.messages] == [
        ("user", "Where is it?"),
        ("assistant", ""),
        ("tool", '{"at": "door"}'),
        ("assistant", "At your door."),
    ]


def test_names_that_say_no_role_become_pseudonyms():
    found = mapped("[10:01] Dora: Hello Bob\n[10:02] Bob: Hi Dora\n[10:03] Dora: It broke\n[10:04] Bob: I see")
    assert isinstance(found, Conversation)
    assert [turn["role"] for turn in found.messages] == ["user", "assistant", "user", "assistant"]
    assert "Dora" not in found.text() and "Bob" not in found.text()


def test_a_text_without_speakers_is_rejected_with_its_reason():
    assert mapped("nothing said here").reason == "bad_messages"
