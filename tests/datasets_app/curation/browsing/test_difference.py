"""What became of the rows from one version to another, and how the whole moved."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from datasets_app.curation.browsing.difference import Side, difference
from datasets_app.curation.browsing.shape import distance, shape_of

spec = importlib.util.spec_from_file_location("browsing_conftest", Path(__file__).with_name("conftest.py"))
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)
row = shared.row


@pytest.fixture
def sides(folder) -> tuple[Side, Side]:
    old = folder("old", train=[row(n, f"Question {n}?") for n in range(6)], test=[row(6, "Exam?")])
    new = folder(
        "new",
        train=[row(0, "Question 0?"), row(1, "Another question?"), row(2, "Question 2?", label="new"), row(9, "New?")],
        validation=[row(3, "Question 3?")],
        test=[row(6, "Exam, again?")],
    )
    return Side(old, {"tickets.csv": "file-1"}), Side(new, {"tickets.csv": "file-1"})


def test_every_row_is_counted_once(sides) -> None:
    found = difference(*sides)
    assert found.counts == {"added": 1, "removed": 2, "changed": 3, "moved": 1, "same": 1}
    assert [(each["row"], each["kind"]) for each in found.rows] == [
        (1, "changed"),
        (2, "changed"),
        (3, "moved"),
        (4, "removed"),
        (5, "removed"),
        (9, "added"),
    ]


def test_test_rows_are_shown_only_where_they_were_opened(sides) -> None:
    assert 6 not in [each["row"] for each in difference(*sides).rows]
    assert 6 in [each["row"] for each in difference(*sides, test_rows=True).rows]


def test_kinds_and_pages_narrow_what_is_shown(sides) -> None:
    assert [each["row"] for each in difference(*sides, kinds=("removed",)).rows] == [4, 5]
    assert [each["row"] for each in difference(*sides, kinds=("removed",), offset=1, limit=1).rows] == [5]


def test_a_version_does_not_differ_from_itself(sides) -> None:
    found = difference(sides[0], sides[0])
    assert (found.counts["same"], sum(found.counts.values()), found.rows) == (7, 7, [])


def test_files_are_known_by_their_id_and_not_by_their_name(folder) -> None:
    old, new = folder("old", train=[row(0, "A?")]), folder("new", train=[row(0, "A?", file="tickets-2.csv")])
    renamed = difference(Side(old, {"tickets.csv": "file-1"}), Side(new, {"tickets-2.csv": "file-1"}))
    assert renamed.counts["same"] == 1
    other = difference(Side(old, {"tickets.csv": "file-1"}), Side(new, {"tickets-2.csv": "file-2"}))
    assert (other.counts["added"], other.counts["removed"]) == (1, 1)


def test_parts_of_one_record_are_told_apart(folder) -> None:
    parts = [row(0, "First part?"), row(0, "Second part?")]
    found = difference(Side(folder("old", train=parts), {}), Side(folder("new", train=[*parts, row(0, "Third?")]), {}))
    assert (found.counts["same"], found.counts["added"], found.counts["changed"]) == (2, 1, 0)


def test_the_shape_counts_labels_and_lengths(folder) -> None:
    found = shape_of(folder(train=[row(n, "x" * n, "", label="a" if n < 8 else "b") for n in range(10)]))
    assert found["labels"] == {"a": 8, "b": 2} and found["rows"] == 10
    assert found["characters"]["low"] < found["characters"]["middle"] < found["characters"]["high"]
    assert shape_of(folder("none"))["rows"] == 0


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [({"a": 1}, {"a": 9}, 0.0), ({"a": 1}, {"b": 1}, 1.0), ({"a": 3, "b": 1}, {"a": 1, "b": 1}, 0.25)],
)
def test_the_distance_of_two_counts_is_the_share_that_would_have_to_move(one, other, far) -> None:
    assert distance(one, other) == pytest.approx(far)
