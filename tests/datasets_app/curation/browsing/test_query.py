"""Rows of a frozen version: found, narrowed, sorted, paged; the index can always be made again."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from datasets_app.curation.browsing import index
from datasets_app.curation.browsing.index import facets_of, index_of, write_index
from datasets_app.curation.browsing.query import SORTS, Wanted, page
from datasets_app.curation.browsing.rows import rows_at
from datasets_app.curation.errors import Refusal

spec = importlib.util.spec_from_file_location("browsing_conftest", Path(__file__).with_name("conftest.py"))
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)


def numbers(folder: Path, **wanted) -> list[int]:
    return [each["row"] for each in page(folder, Wanted(**wanted), limit=1000).rows]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("wanted", [Wanted(), Wanted(text="PLEASE"), Wanted(splits=["train"], least=30)])
def test_pages_follow_each_other_without_gap_or_double(shop, sort, wanted) -> None:
    whole = page(shop, wanted, sort=sort, limit=1000).rows
    seen, after = [], ""
    while True:
        found = page(shop, wanted, sort=sort, after=after, limit=7)
        seen += found.rows
        assert found.total == (None if after else len(whole))
        after = found.after
        if not after:
            break
    assert [each["number"] for each in seen] == [each["number"] for each in whole]
    assert len(seen) == len(whole) > 7


def test_rows_are_narrowed_by_what_people_ask_for(shop) -> None:
    assert numbers(shop, label="refund") == list(range(0, 60, 6))
    assert numbers(shop, cluster=10) == [10, 11, 12]
    assert numbers(shop, near_copies=True) == [10, 11, 12]
    assert numbers(shop, mark="PHONE") == [0, 10, 20, 30, 40, 50]
    assert numbers(shop, group="g7") == [7]
    assert numbers(shop, splits=["test"]) == [100, 101, 102, 103]
    assert numbers(shop, file="other.csv") == []
    assert numbers(shop, places=[("train", 3), ("test", 1)]) == [3, 101]
    assert numbers(shop, label="refund", mark="EMAIL") == [0, 30]


def test_lengths_count_the_letters_of_all_turns(shop) -> None:
    found = page(shop, Wanted(), sort="longest", limit=1).rows[0]
    said = "\n".join(
        each["content"] for each in rows_at(shop, [("train", found["place"])])["train", found["place"]]["messages"]
    )
    assert found["characters"] == len(said)
    assert all(each["characters"] <= 30 for each in page(shop, Wanted(most=30)).rows)


@pytest.mark.parametrize("text", ["grün NUMBER 2", "Grün number 2"])
def test_text_is_found_whatever_its_case(shop, text) -> None:
    assert numbers(shop, text=text) == [102]


@pytest.mark.parametrize("text", ["'; DROP TABLE found; --", "%", "[", "\x00", "parcel_1"])
def test_what_is_typed_is_looked_for_and_never_run(shop, text) -> None:
    assert numbers(shop, text=text) in ([], numbers(shop, mark="EMAIL"))
    assert len(numbers(shop)) == 64


@pytest.mark.parametrize("cursor", ["x", "1", "1:2:3", "1:'", "9" * 400])
def test_a_cursor_that_is_none_is_refused_with_a_sentence(shop, cursor) -> None:
    with pytest.raises(Refusal, match="Start without one"):
        page(shop, Wanted(), after=cursor)


def test_an_order_that_is_none_is_refused(shop) -> None:
    with pytest.raises(Refusal, match="cannot be sorted"):
        page(shop, Wanted(), sort="number; DROP")


def test_rows_come_whole_by_place_and_missing_places_are_left_out(shop) -> None:
    found = rows_at(shop, [("train", 59), ("train", 3), ("train", 60), ("test", 0), ("validation", 0)])
    assert set(found) == {("train", 59), ("train", 3), ("test", 0)}
    assert found["train", 59]["row_id"] == 59 and found["test", 0]["row"] == 100


def test_of_rows_by_place_a_list_reads_only_the_columns_it_shows(shop) -> None:
    found = rows_at(shop, [("train", 59)], columns=("messages", "part", "nothing of the kind"))["train", 59]
    assert set(found) == {"messages", "part"} and "parcel 59" in found["messages"][0]["content"]


def test_an_index_that_was_made_again_is_read_anew(shop) -> None:
    assert len(page(shop, Wanted(), limit=100).rows) == 64
    table = pq.read_table(shop / "train.parquet")
    for kept in (30, 20, 10):
        pq.write_table(table.slice(0, kept), shop / "train.parquet", row_group_size=10)
        write_index(shop)
        found = page(shop, Wanted(), limit=100)
        assert (len(found.rows), found.total) == (kept + 4, kept + 4)
        assert numbers(shop, text="parcel")[-1] == kept - 1


def test_facets_count_by_split_and_the_most_frequent_comes_first(shop) -> None:
    found = facets_of(shop)
    assert found["splits"] == {"train": 60, "test": 4}
    assert [(each["value"], each["train"]) for each in found["labels"]] == [("delivery", 50), ("refund", 10)]
    assert {each["value"]: each["train"] for each in found["marks"]} == {"EMAIL": 6, "PHONE": 6}


def test_the_index_is_made_when_it_is_missing_and_is_whole_or_not_there(shop, monkeypatch) -> None:
    path = index_of(shop)
    before = page(shop, Wanted()).rows
    path.unlink()
    assert page(shop, Wanted()).rows == before
    path.unlink()

    def broken(*_: object) -> dict:
        raise OSError("the disk is full")

    monkeypatch.setattr(index, "_facets", broken)
    with pytest.raises(OSError, match="full"):
        write_index(shop)
    assert not path.exists() and not list(shop.glob(".index*"))


def test_a_folder_without_rows_is_refused(tmp_path) -> None:
    with pytest.raises(Refusal, match="no rows"):
        page(tmp_path, Wanted())


def test_a_version_without_a_single_row_has_an_empty_page(folder) -> None:
    found = page(folder(), Wanted())
    assert (found.rows, found.after, found.total) == ([], "", 0)
