"""One record to one conversation."""

from __future__ import annotations

import pytest

from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.mapping import map_record
from datasets_app.curation.rows import Conversation, Record, Rejection

CHAT = ColumnMap(layout="messages", messages="messages")
PAIR = ColumnMap(layout="prompt_completion", prompt="q", completion="a")


def mapped(values, mapping=PAIR, system=""):
    return map_record(Record(0, None, values), mapping, system_prompt=system)


def turns(*pairs):
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


def test_a_pair_becomes_a_question_and_an_answer():
    assert mapped({"q": "why", "a": "because"}).messages == (
        {"role": "user", "content": "why"},
        {"role": "assistant", "content": "because"},
    )


def test_the_input_of_an_instruction_follows_it():
    alpaca = ColumnMap(layout="alpaca", prompt="q", completion="a", context="c")
    assert mapped({"q": "Add", "c": "1 2", "a": "3"}, alpaca).messages[0]["content"] == "Add\n\n1 2"
    assert mapped({"q": "Add", "c": "", "a": "3"}, alpaca).messages[0]["content"] == "Add"


def test_a_label_is_the_answer_and_the_label():
    found = mapped({"q": "where is it", "l": " track "}, ColumnMap(layout="text_label", prompt="q", label="l"))
    assert (found.label, found.answer_is_label) == ("track", True)
    assert found.messages[-1]["role"] == "assistant"


def test_sharegpt_names_become_roles():
    sharegpt = ColumnMap(layout="sharegpt", messages="messages")
    found = mapped({"messages": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}, sharegpt)
    assert [turn["role"] for turn in found.messages] == ["user", "assistant"]


def test_what_follows_the_last_answer_is_cut():
    assert len(mapped(turns(("user", "a"), ("assistant", "b"), ("user", "c")), CHAT).messages) == 2


def test_the_system_prompt_is_put_first_unless_there_is_one():
    assert mapped({"q": "a", "a": "b"}, system="Be kind.").messages[0] == {"role": "system", "content": "Be kind."}
    given = mapped(turns(("system", "Be short."), ("user", "a"), ("assistant", "b")), CHAT, system="Be kind.")
    assert given.messages[0]["content"] == "Be short."


def test_messages_may_be_json_in_a_text_cell():
    assert isinstance(
        mapped({"messages": '[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]'}, CHAT), Conversation
    )


def test_group_keys_name_their_column():
    with_group = ColumnMap(layout="prompt_completion", prompt="q", completion="a", group=("t", "u"))
    assert mapped({"q": "a", "a": "b", "t": 7, "u": None}, with_group).groups == ("t=7",)


@pytest.mark.parametrize(
    ("values", "mapping", "reason"),
    [
        ({"q": " ", "a": "b"}, PAIR, "empty"),
        ({"q": "a", "a": None}, PAIR, "no_answer"),
        ({"q": {"x": 1}, "a": "b"}, PAIR, "not_text"),
        ({"messages": []}, CHAT, "empty"),
        ({"messages": "[oops"}, CHAT, "bad_messages"),
        ({"messages": ["a"]}, CHAT, "bad_messages"),
        (turns(("wizard", "a")), CHAT, "unknown_role"),
        (turns(("user", "a")), CHAT, "no_answer"),
        (turns(("assistant", "a")), CHAT, "no_question"),
        (turns(("user", [{"type": "image"}]), ("assistant", "b")), CHAT, "not_text"),
    ],
)
def test_a_record_that_teaches_nothing_is_rejected_with_its_reason(values, mapping, reason):
    found = mapped(values, mapping)
    assert isinstance(found, Rejection)
    assert (found.reason, found.detail[-1]) == (reason, ".")
