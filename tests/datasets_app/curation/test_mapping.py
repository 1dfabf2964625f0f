"""One record to one conversation."""

from __future__ import annotations

import json

import pytest

from datasets_app.curation.layouts import ColumnMap, guess_mapping
from datasets_app.curation.mapping import map_record
from datasets_app.curation.rows import Conversation, Record, Rejection

CHAT = ColumnMap(layout="messages", messages="messages")
PAIR = ColumnMap(layout="prompt_completion", prompt="q", completion="a")
PREFERENCE = ColumnMap(
    layout="preference", prompt="input", completion="preferred_output", rejected="non_preferred_output"
)
OPENAI_PAIR = {
    "input": {"messages": [{"role": "user", "content": "Where is it?"}]},
    "preferred_output": [{"role": "assistant", "content": "On its way."}],
    "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
}


def mapped(values, mapping=PAIR, system=""):
    return map_record(Record(0, None, values), mapping, system_prompt=system)


def turns(*pairs):
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


def weighted(weight):
    said = turns(("user", "a"), ("assistant", "wrong"), ("user", "no"), ("assistant", "right"))
    said["messages"][1]["weight"] = weight
    return said


@pytest.mark.parametrize("weight", [1, 1.0, None])
def test_an_answer_that_is_to_be_learned_as_all_others_may_say_so(weight):
    assert len(mapped(weighted(weight), CHAT).messages) == 4


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
        (weighted(0), CHAT, "unlearned_turn"),
        (weighted(0.5), CHAT, "unlearned_turn"),
        (weighted("high"), CHAT, "unlearned_turn"),
        (turns(("user", "a")), CHAT, "no_answer"),
        (turns(("assistant", "a")), CHAT, "no_question"),
        (turns(("user", [{"type": "image"}]), ("assistant", "b")), CHAT, "not_text"),
    ],
)
def test_a_record_that_teaches_nothing_is_rejected_with_its_reason(values, mapping, reason):
    found = mapped(values, mapping)
    assert isinstance(found, Rejection)
    assert (found.reason, found.detail[-1]) == (reason, ".")


def test_a_pair_of_answers_is_a_conversation_and_the_answer_that_was_liked_less():
    assert [(turn["role"], turn["content"]) for turn in mapped(OPENAI_PAIR, PREFERENCE).messages] == [
        ("user", "Where is it?"), ("assistant", "On its way."), ("rejected", "No idea."),
    ]  # fmt: skip


def test_pairs_may_be_texts_or_whole_conversations():
    texts = ColumnMap(layout="preference", prompt="prompt", completion="chosen", rejected="rejected")
    found = mapped({"prompt": "Why?", "chosen": "So.", "rejected": "Dunno."}, texts)
    assert [turn["role"] for turn in found.messages] == ["user", "assistant", "rejected"]
    whole = ColumnMap(layout="messages", messages="chosen", rejected="rejected")
    talks = [
        [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": text}] for text in ("So.", "Dunno.")
    ]
    assert mapped({"chosen": talks[0], "rejected": talks[1]}, whole).messages == found.messages
    spoken = {"chosen": "Human: Why?\n\nAssistant: So.", "rejected": "Human: Why?\n\nAssistant: Dunno."}
    assert mapped(spoken, whole).messages == found.messages


def test_a_pair_whose_other_answer_is_empty_is_a_row_like_any_other():
    found = mapped({**OPENAI_PAIR, "non_preferred_output": []}, PREFERENCE)
    assert [turn["role"] for turn in found.messages] == ["user", "assistant"]


def test_an_other_answer_that_is_a_question_is_named():
    found = mapped({**OPENAI_PAIR, "non_preferred_output": [{"role": "user", "content": "And?"}]}, PREFERENCE)
    assert isinstance(found, Rejection) and "“non_preferred_output” does not end in an answer" in found.detail


WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.mark.parametrize("written", [[WEATHER], json.dumps([WEATHER]), [WEATHER["function"]]])
def test_tools_are_shown_in_the_system_prompt_and_their_calls_in_the_answer(written):
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}}
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "no"},
        {"role": "assistant", "content": "No."},
    ]
    values = {"messages": messages, "tools": written}
    mapping = guess_mapping([Record(0, 1, values)])
    assert mapping.tools == "tools"
    found = map_record(Record(0, 1, values), mapping, system_prompt="")
    system, _asked, called, *_rest = found.messages
    assert system["content"].startswith("Be brief.\n\n# Tools\n") and json.dumps(WEATHER) in system["content"]
    assert called["content"] == '<tool_call>\n{"name": "weather", "arguments": {"city": "Bonn"}}\n</tool_call>'


def test_rows_without_tools_have_none_and_tools_that_are_none_are_named():
    asked = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
    mapping = ColumnMap(layout="messages", messages="messages", tools="tools")
    plain = map_record(Record(0, 1, {"messages": asked, "tools": []}), mapping, system_prompt="")
    assert [turn["role"] for turn in plain.messages] == ["user", "assistant"]
    found = map_record(Record(0, 1, {"messages": asked, "tools": ["hammer"]}), mapping, system_prompt="")
    assert found.reason == "bad_tools" and "“tools”" in found.detail
    assert guess_mapping([Record(0, 1, {"messages": asked, "tools": ["hammer"]})]).tools is None
