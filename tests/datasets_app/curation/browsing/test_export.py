"""Rows as files for others: nothing lost, nothing run by a spreadsheet, never all in memory."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from datasets_app.curation.browsing.export import export, safe

spec = importlib.util.spec_from_file_location("browsing_conftest", Path(__file__).with_name("conftest.py"))
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)
ALL = ("train", "validation", "test")


def whole(folder: Path, form: str, splits=ALL) -> bytes:
    return b"".join(export(folder, splits=splits, form=form))


def lines_of(made: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in made.decode().splitlines()]


def cells(folder: Path, splits=ALL) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(whole(folder, "csv", splits).decode("utf-8-sig"), newline="")))


def test_json_lines_are_conversations_as_openai_takes_them(shop) -> None:
    lines = [line for split in ALL for line in lines_of(whole(shop, "jsonl", (split,)))]
    assert len(lines) == 64 and all(set(line) == {"messages"} for line in lines)
    assert lines[-1]["messages"][0] == {"role": "user", "content": "Is GRÜN number 3 there?"}


def test_json_lines_of_several_splits_are_a_file_for_each(shop) -> None:
    with zipfile.ZipFile(io.BytesIO(whole(shop, "jsonl"))) as archive:
        assert archive.testzip() is None and archive.namelist() == [f"{split}.jsonl" for split in ALL]
        for split in ALL:
            assert archive.read(f"{split}.jsonl") == whole(shop, "jsonl", (split,))


def test_parquet_holds_every_column_and_the_split(shop) -> None:
    table = pq.read_table(io.BytesIO(whole(shop, "parquet")))
    assert table.num_rows == 64 and table["split"].to_pylist()[-1] == "test"
    assert table["messages"].to_pylist()[3][0]["content"].startswith("Where is parcel 3?")


def test_csv_says_where_each_row_came_from(shop) -> None:
    found = cells(shop, ("test",))
    assert [each["row"] for each in found] == ["100", "101", "102", "103"]
    assert found[0] | {"tokens": ""} == {
        "split": "test", "file": "tickets.csv", "row": "100", "label": "", "tokens": "",
        "question": "Is GRÜN number 0 there?", "answer": "Yes.", "conversation": "",
    }  # fmt: skip


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=cmd|' /C calc'!A0"])
def test_no_cell_begins_like_a_formula(folder, cell) -> None:
    made = folder(train=[shared.row(0, cell, cell, label=cell, file=cell)])
    (found,) = cells(made)
    assert {found[name] for name in ("question", "answer", "label", "file")} == {f"'{cell}"}


def test_a_long_conversation_stands_whole_in_its_cell(folder) -> None:
    turns = [
        {"role": role, "content": f"{role}\nsays"} for role in ("system", "user", "assistant", "user", "assistant")
    ]
    (found,) = cells(folder(train=[shared.row(0, "", messages=turns)]))
    assert json.loads(found["conversation"]) == turns


@pytest.mark.parametrize("value", [7, None, "plain", "a=b", ""])
def test_what_is_no_formula_stays_as_it_is(value) -> None:
    assert safe(value) == value


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_an_empty_version_is_an_empty_file_and_no_breakdown(folder, form) -> None:
    made = whole(folder(), form, ("train",))
    assert len(cells(folder("other"))) == 0 and (form == "jsonl") == (made == b"")


def test_rows_are_sent_batch_by_batch(folder) -> None:
    made = folder(train=[shared.row(number, "x" * 2000) for number in range(5000)])
    pieces = [len(piece) for piece in export(made, splits=("train",), form="jsonl")]
    assert len(pieces) == 3 and max(pieces) < 5_000_000
