"""Rows that are single turns, joined into conversations."""

from __future__ import annotations

import pytest

from datasets_app.curation import turns
from datasets_app.curation.errors import Refusal
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.turns import join_turns
from datasets_app.curation.turns import joined as joined_by

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


def spoken(found):
    return [[turn["content"] for turn in each.values["messages"]] for each in found]


def test_conversations_that_lie_between_each_other_are_told_apart():
    found = joined(said(1, 1, "x"), said(2, 1, "z"), said("1", 2, "y"), said(2, 2, "w"))
    assert spoken(found) == [["x", "y"], ["z", "w"]]
    assert [(each.row, each.line) for each in found] == [(0, 2), (1, 3)]


def test_a_file_with_the_newest_turn_first_is_turned_round():
    times = ["Mon, 08 Jan 2024 10:01", "Mon, 08 Jan 2024 10:01", "Fri, 05 Jan 2024 09:00"]
    found = joined(*(said("a", time, text) for time, text in zip(times, "cba", strict=True)))
    assert spoken(found) == [["a", "b", "c"]]


def test_rows_that_name_no_conversation_belong_to_their_neighbours_alone():
    found = joined(said("", 1, "x"), said(None, 2, "y"), said("a", 1, "z"), said("", 1, "w"))
    assert spoken(found) == [["x", "y"], ["z"], ["w"]]


def test_the_parts_of_a_conversation_that_is_too_long_have_one_group(monkeypatch):
    monkeypatch.setattr(turns, "LARGEST", 2)
    records = [Record(place, None, said("a", place, str(place))) for place in range(3)]
    found, mapping = joined_by(iter(records), MAPPING)
    assert spoken(found) == [["0", "1"], ["2"]]
    assert mapping.group == ("id",)


def test_what_was_read_before_a_file_breaks_off_is_joined():
    def broken():
        yield Record(0, 2, said("a", 1, "x"))
        raise Refusal(code="broken", message="It ends in the middle.", fix="Send it again.")

    found = join_turns(broken(), MAPPING)
    assert spoken([next(found)]) == [["x"]]
    with pytest.raises(Refusal):
        next(found)
