"""Rows that are single turns, joined into conversations."""

from __future__ import annotations

from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.turns import join_turns

MAPPING = ColumnMap(layout="turns", conversation="id", speaker="who", prompt="text", turn="n")


def joined(*rows, mapping=MAPPING):
    records = [row if isinstance(row, Problem) else Record(place, place + 2, row) for place, row in enumerate(rows)]
    return list(join_turns(iter(records), mapping))


def said(conversation, number, text):
    return {"id": conversation, "n": number, "who": "customer", "text": text}


def test_a_run_of_one_conversation_is_one_record_at_its_first_row():
    found = joined(said("a", 1, "x"), said("a", 2, "y"), said("b", 1, "z"))
    assert [[turn["content"] for turn in each.values["messages"]] for each in found] == [["x", "y"], ["z"]]
    assert [(each.row, each.line) for each in found] == [(0, 2), (2, 4)]


def test_turns_stand_in_the_order_of_their_numbers():
    (found,) = joined(said("a", "10", "last"), said("a", "9", "first"), said("a", "?", "unnumbered"))
    assert [turn["content"] for turn in found.values["messages"]] == ["first", "last", "unnumbered"]


def test_a_problem_passes_and_ends_no_conversation():
    found = joined(said("a", 1, "x"), Problem(1, 3, "ragged_row", "Odd."), said("a", 2, "y"))
    assert isinstance(found[0], Problem)
    assert len(found[1].values["messages"]) == 2
