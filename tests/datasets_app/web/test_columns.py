"""Columns and their parts: what a form says, and the first rows seen through it."""

from __future__ import annotations

import pytest

from datasets_app.curation.layouts import NO_ANSWER_COLUMN
from datasets_app.curation.rows import Finding
from datasets_app.web.columns import as_said, columns_of, in_use, mapping_from_form, open_findings, preview
from gptstudio.core.errors import Invalid

TURNS = {
    "columns": ["case", "who", "text"],
    "mapping": {"prompt": "text", "conversation": "case", "speaker": "who"},
    "preview": [
        {"case": 1, "who": "customer", "text": "Where is it?"},
        {"case": 1, "who": "agent", "text": "On its way."},
        {"case": 2, "who": "agent", "text": "Hello?"},
    ],
}


def test_a_form_gives_one_column_to_a_part_and_several_to_a_group() -> None:
    given = {"column-0": "group", "column-1": "group", "column-2": "prompt", "column-9": "label", "other": "x"}
    assert mapping_from_form(TURNS, given) == {"group": ["case", "who"], "prompt": "text"}
    assert mapping_from_form(TURNS, {}) is None
    with pytest.raises(Invalid, match="Two columns are named as label"):
        mapping_from_form(TURNS, {"column-0": "label", "column-1": "label"})


def test_turns_in_rows_are_seen_as_conversations_and_what_is_none_says_why() -> None:
    shown = preview(TURNS, TURNS["mapping"])
    assert (shown.kept, shown.refused) == (1, 1)
    assert [message["role"] for message in shown.seen[0].conversation.messages] == ["user", "assistant"]
    assert shown.seen[1].conversation is None and shown.seen[1].number == 3 and shown.seen[1].reason


def test_a_mapping_without_an_answer_is_a_sentence_and_not_an_error() -> None:
    assert "no question with its answer" in preview(TURNS, {"prompt": "text"}).fault
    assert "No column is used yet" in preview(TURNS, {}).fault


def test_a_chosen_mapping_holds_where_its_columns_are() -> None:
    chosen = {"prompt": "text", "completion": "who", "group": ["elsewhere"]}
    assert in_use(chosen, TURNS) == (chosen, True)
    assert in_use({"prompt": "elsewhere", "completion": "who"}, TURNS) == (TURNS["mapping"], False)


def test_of_nine_thousand_columns_those_in_use_are_shown() -> None:
    names = [f"c{number}" for number in range(9_000)]
    shown, hidden = columns_of({"columns": names, "preview": [{"c8999": "x"}]}, {"prompt": "c8999"})
    assert shown[-1].name == "c8999" and shown[-1].part == "prompt" and shown[-1].samples == ("x",)
    assert len(shown) + hidden == 9_000 and len(shown) < 100


def test_columns_that_were_chosen_twice_are_shown_again_as_they_were_said() -> None:
    said = as_said(TURNS, {"column-0": "label", "column-1": "label", "column-2": "prompt"})
    assert [column.part for column in columns_of(TURNS, said)[0]] == ["label", "label", "prompt"]


def test_once_a_person_said_what_the_columns_are_nobody_is_asked_to() -> None:
    findings = [finding.as_json() for finding in (Finding("warning", NO_ANSWER_COLUMN), Finding("warning", "Ragged."))]
    told = {"findings": findings}
    assert len(open_findings(told, is_chosen=False)) == 2
    assert [each["message"] for each in open_findings(told, is_chosen=True)] == ["Ragged."]
