"""Excel workbooks."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from openpyxl import Workbook

from datasets_app.curation.detect import detect
from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.options import Reading
from datasets_app.curation.readers.upload import open_source, opened


@pytest.fixture
def book(tmp_path):
    """`book({"Sheet": rows})` writes a workbook; `form` may set number formats by cell."""

    def write(sheets: dict[str, list[list[object]]], form: dict[str, str] | None = None, hidden: str = ""):
        made = Workbook()
        made.remove(made.active)
        for title, rows in sheets.items():
            sheet = made.create_sheet(title)
            for row in rows:
                sheet.append(row)
            for cell, number_format in (form or {}).items():
                sheet[cell].number_format = number_format
            sheet.sheet_state = "hidden" if title == hidden else "visible"
        path = tmp_path / "tickets.xlsx"
        made.save(path)
        return path

    return write


def test_cells_are_read_as_people_see_them(book):
    path = book(
        {"A": [["when", "at", "count", "share", "zip", "price", "ok", "none"],
               [date(2024, 1, 31), datetime(2024, 1, 31, 9, 5), 3.0, 0.256, 1234, 5.5, True, None]]},
        form={"D2": "0.0%", "E2": "00000", "F2": "0.00", "A2": "yyyy-mm-dd"},
    )  # fmt: skip
    (record,) = open_source(path).records()
    assert list(record.values.values()) == [
        "2024-01-31", "2024-01-31 09:05:00", "3", "25.6%", "01234", "5.50", "TRUE", "",
    ]  # fmt: skip
    assert record.line == 2


def test_each_sheet_that_is_not_empty_is_a_file_of_its_own(book):
    path = book(
        {"Jan": [["prompt", "completion"], ["a", "b"]], "Empty": [], "Feb": [["prompt", "completion"], ["c", "d"]]}
    )
    with opened(path) as upload:
        assert [source.name for source in upload.sources] == ["tickets.xlsx/Jan", "tickets.xlsx/Feb"]
    assert detect(path)["rows"] == 2
    assert detect(path, reading=Reading(sheet="Feb"))["preview"] == [{"prompt": "c", "completion": "d"}]


def test_a_hidden_sheet_is_left_out_and_told(book):
    found = detect(book({"A": [["x", "y"], ["1", "2"]], "B": [["x", "y"], ["3", "4"]]}, hidden="B"))
    assert found["rows"] == 1
    assert "hidden sheet “B”" in found["findings"][0]["message"]


def test_title_rows_are_skipped_and_cells_beside_the_table_get_a_column(book):
    rows = [["Tickets of January"], [], ["prompt", "completion"], ["a", "b"], [], ["c", "d", "stray"], ["e", "f"]]
    found = list(open_source(book({"A": rows})).records())
    assert [each.line for each in found] == [4, 6, 7]
    assert found[1].values == {"prompt": "c", "completion": "d", "column_3": "stray"}


def test_a_formula_that_no_program_computed_stays_as_text(book):
    (record,) = open_source(book({"A": [["x", "y"], ["1", "=1+1"]]})).records()
    assert record.values == {"x": "1", "y": "=1+1"}


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(book):
    with pytest.raises(Refusal) as refused:
        open_source(book({"A": [["x"], ["1"]]}), Reading(sheet="Z"))
    assert "A" in refused.value.fix


def test_a_broken_and_an_empty_workbook_are_refused(book, tmp_path):
    path = book({"A": [["x", "y"], ["1", "2"]]})
    whole = path.read_bytes()
    with pytest.raises(Refusal, match="no sheet"):
        open_source(book({"A": []}))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refusal), opened(path):
        pass
