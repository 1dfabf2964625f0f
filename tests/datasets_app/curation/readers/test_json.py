"""JSON Lines, lists and single objects."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.readers import json_array
from datasets_app.curation.readers.json_object import read_json_object
from datasets_app.curation.readers.jsontext import parse_record
from datasets_app.curation.readers.upload import open_source
from datasets_app.curation.rows import Problem, Record


def read(path):
    return list(open_source(path).records())


def test_a_cut_line_is_a_problem_and_the_next_line_is_read(write):
    found = read(write("a.jsonl", '{"prompt": "a"}\n{"prompt": "b\n\n{"prompt": "c"}\n'))
    assert [type(each) for each in found] == [Record, Problem, Record]
    assert (found[1].line, found[2].line, found[2].row) == (2, 4, 2)


def test_a_list_that_is_cut_off_gives_what_came_before(write):
    found = read(write("a.json", '[{"a": 1}, {"a": 2}, {"a": '))
    assert [each.values for each in found[:2]] == [{"a": 1}, {"a": 2}]
    assert "cut off" in found[2].detail


def test_one_broken_element_does_not_end_a_list(write):
    found = read(write("a.json", '[{"a": 1},\n {"a": oops},\n {"a": 3}]'))
    assert [type(each) for each in found] == [Record, Problem, Record]
    assert found[1].line == 2


def test_an_empty_list_holds_nothing(write):
    assert read(write("a.json", "[ ]")) == []


def test_an_object_gives_the_rows_of_its_longest_list(write):
    found = read(write("a.json", '{\n "version": 1,\n "data": [{"a": 1}, {"a": 2}],\n "other": []\n}'))
    assert [each.values for each in found] == [{"a": 1}, {"a": 2}]


def test_lists_that_are_called_like_splits_are_all_read_and_say_so(write):
    text = '{\n "train": [{"a": 1}, {"a": 2}],\n "test": [{"a": 3}, 7],\n "notes": [{"b": 1}]\n}'
    found = read(write("a.json", text))
    assert [each.values for each in found if isinstance(each, Record)] == [
        {"split": "train", "a": 1},
        {"split": "train", "a": 2},
        {"split": "test", "a": 3},
    ]
    assert [each.row for each in found] == list(range(5))
    assert [each.reason for each in found[3:]] == ["not_an_object", "other_list"] and "1 rows" in found[4].detail


def test_a_list_beside_the_longest_is_told_with_its_length(write):
    found = read(write("a.json", '{\n "rows": [{"a": 1}, {"a": 2}],\n "users": [{"b": 1}]\n}'))
    assert [type(each) for each in found] == [Record, Record, Problem] and "users" in found[2].detail


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_hundred_thousand_brackets_are_a_problem_and_no_crash(write, opening, name):
    found = read(write(name, opening * 100_000))
    assert [type(each) for each in found] == [Problem]


def test_a_record_nested_too_deeply_to_be_walked_is_a_problem():
    found = parse_record('{"a":' * 80 + "1" + "}" * 80, row=0, line=1)
    assert isinstance(found, Problem)
    assert "deeply" in found.detail


def test_half_characters_and_zero_bytes_are_made_visible():
    found = parse_record('{"a\\ud800": ["x\\u0000y", "\\ud83d\\ude00"]}', row=0, line=1)
    assert found.values == {"a\ufffd": ["x\ufffdy", "😀"]}


@pytest.mark.parametrize("text", ["NaN", '{"a": Infinity}', "3", '"text"', "null", "[1]"])
def test_what_is_no_object_is_a_problem(text):
    assert isinstance(parse_record(text, row=0, line=1), Problem)


@pytest.mark.parametrize("text", ['[{"a": 1},\n{"a": 2},\n{"a": ', '[{"a": 1},\n{"a": 2},\n'])
def test_a_list_that_is_cut_off_says_at_which_row_counted_from_one(text):
    import io

    *whole, broken = json_array.read_json_array(io.StringIO(text))
    assert [each.row for each in (*whole, broken)] == [0, 1, 2]
    assert broken.detail == "The list is cut off at row 3 (near line 3): its closing bracket is missing."


def test_what_is_no_object_in_a_list_inside_an_object_is_named_by_its_row_counted_from_one():
    import io

    found = list(read_json_object(io.StringIO('{"rows": [{"a": 1}, 7]}')))
    assert (found[1].row, found[1].detail) == (1, "Row 2 is no object with named fields.")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text("abc", min_size=1, max_size=3), VALUES, max_size=4), max_size=8),
    st.integers(1, 40),
)
def test_a_list_is_read_as_json_reads_it_whatever_the_size_of_the_pieces(objects, size):
    import io

    before, json_array.CHUNK_CHARACTERS = json_array.CHUNK_CHARACTERS, size
    try:
        found = list(json_array.read_json_array(io.StringIO(json.dumps(objects, ensure_ascii=False, indent=1))))
    finally:
        json_array.CHUNK_CHARACTERS = before
    assert [each.values for each in found] == objects


@pytest.mark.parametrize(
    "table",
    [
        {"question": {"0": "Why?", "5": "How?"}, "answer": {"0": "Because.", "5": "So."}},
        {"question": ["Why?", "How?"], "answer": ["Because.", "So."]},
        {"columns": ["question", "answer"], "index": [0, 5], "data": [["Why?", "Because."], ["How?", "So."]]},
    ],
)
def test_a_table_that_was_written_by_its_columns_gives_its_rows(write, table):
    found = list(open_source(write("a.json", json.dumps(table))).records())
    rows = [{"question": "Why?", "answer": "Because."}, {"question": "How?", "answer": "So."}]
    assert [record.values for record in found] == rows


def test_objects_that_stand_one_below_the_other_are_rows_until_one_is_broken(write):
    path = write("a.json", '{\n "q": "Why?"\n}\n{\n "q": "How?"\n}\n{\n "q": \n')
    first, second, third = open_source(path).records()
    assert [(each.values["q"], each.line) for each in (first, second)] == [("Why?", 1), ("How?", 4)]
    assert (third.reason, third.row, third.line) == ("bad_json", 2, 7)
