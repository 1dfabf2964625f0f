"""Excel workbooks (.xlsx): sheets as tables of texts, with numbers and dates as people see them. Computes no formula."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.heading import Heading, find_heading
from datasets_app.curation.readers.options import Reading
from datasets_app.curation.readers.stream import Place
from datasets_app.curation.rows import Finding, Problem, Record

SAMPLE_ROWS = 1000
MOST_BYTES = 4 << 30
MOST_TEXT_BYTES = 512 << 20
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError),
    *(SyntaxError, OSError, NotImplementedError, RuntimeError, OverflowError),
)
_DECIMALS = re.compile(r"\.(0+)")
_ZEROS = re.compile(r"^0{2,}$")


def is_workbook(path: Path) -> bool:
    """Whether the zip at ``path`` is an Excel workbook inside."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def _broken(name: str) -> Refusal:
    return Refusal(
        code="broken_workbook",
        message=f"{name} is not a whole Excel workbook.",
        fix="Open it in a spreadsheet program and save it again as .xlsx or CSV.",
    )


def _check_size(path: Path, name: str) -> None:
    with zipfile.ZipFile(path) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
        texts = sum(entry.file_size for entry in archive.infolist() if "sharedStrings" in entry.filename)
    if total > MOST_BYTES or texts > MOST_TEXT_BYTES:
        message = f"{name} unpacks to {total / 2**30:,.1f} GB, more than a workbook may hold here."
        raise Refusal(code="too_large", message=message, fix="Save its sheets as CSV files and upload those.")


@contextmanager
def _opened(path: Path, name: str, *, formulas: bool = False) -> Iterator[Any]:
    from openpyxl import load_workbook

    with path.open("rb") as stream:  # openpyxl goes by the ending of a path, and a member of an archive has none
        try:
            _check_size(path, name)
            book = load_workbook(stream, read_only=True, data_only=not formulas, keep_links=False)
        except BROKEN as error:
            raise _broken(name) from error
        try:
            yield book
        finally:
            book.close()


def sheets_of(path: Path, name: str, reading: Reading) -> tuple[list[str], list[Finding]]:
    """Names of the sheets to read: the one a person named, else each visible one that is not empty. Raises Refusal."""
    with _opened(path, name) as book:
        worksheets = {sheet.title: sheet for sheet in book.worksheets}
        if reading.sheet is not None:
            if reading.sheet not in worksheets:
                message = f"{name} has no sheet “{reading.sheet[:40]}”."
                raise Refusal(code="bad_reading", message=message, fix=f"It has {', '.join(worksheets)}.")
            return [reading.sheet], []
        try:
            filled = [title for title, sheet in worksheets.items() if any(map(_is_filled, islice(_rows(sheet), 1000)))]
        except BROKEN as error:
            raise _broken(name) from error
    hidden = [title for title in filled if worksheets[title].sheet_state != "visible"]
    shown = [title for title in filled if title not in hidden]
    if not filled:
        fix = "Export it again and check that it holds at least a header and one row."
        raise Refusal(code="empty_file", message=f"{name} has no sheet with anything in it.", fix=fix)
    note = "The hidden sheet “{}” was left out. Name it as the sheet to read if it is meant."
    return shown or filled, [Finding("info", note.format(title)) for title in hidden if shown]


def sheet_heading(path: Path, name: str, sheet: str, reading: Reading) -> Heading:
    """Names of a sheet's columns. Raises Refusal."""
    with _opened(path, name) as book:
        try:
            numbered = [(line, row) for line, row in enumerate(islice(_rows(book[sheet]), SAMPLE_ROWS), start=1)]
        except BROKEN as error:
            raise _broken(name) from error
    filled = [(line, _trimmed([shown(cell) for cell in row])) for line, row in numbered if _is_filled(row)]
    rows, lines = [row for _line, row in filled] or [[""]], [line for line, _row in filled] or [1]
    width = max(map(len, rows))
    return find_heading([row + [""] * (width - len(row)) for row in rows], lines, given=reading.header)


def read_sheet(path: Path, name: str, sheet: str, heading: Heading, place: Place) -> Iterator[Record | Problem]:
    """Yield a Record or a Problem for every row that is not blank; ``line`` is the sheet's row number."""
    row, size = -heading.skipped - int(heading.has_header), path.stat().st_size
    width = len(heading.columns)
    with _opened(path, name) as book:
        total = max(1, book[sheet].max_row or 1)
        try:
            for line, cells in enumerate(_with_formulas(path, name, sheet, book), start=1):
                if not any(cells):
                    continue
                if row >= 0:
                    yield _record(row, line, _trimmed(cells), heading.columns, width)
                row += 1
                place.done = size * min(line, total) // total
        except BROKEN as error:
            raise _broken(name) from error


def _record(row: int, line: int, cells: list[str], columns: tuple[str, ...], width: int) -> Record | Problem:
    if len(cells) > width:
        detail = f"Row {row + 1:,} (row {line} of the sheet) has {len(cells)} cells where the header has {width}."
        return Problem(
            row, line, "ragged_row", f"{detail} Name the columns, or empty the cells.", " | ".join(cells)[:2000]
        )
    return Record(row, line, dict(zip(columns, cells + [""] * (width - len(cells)), strict=True)))


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # what the file says of its size is often wrong
    yield from sheet.iter_rows()


def _is_filled(row: tuple[Any, ...]) -> bool:
    return any(cell.value not in (None, "") for cell in row)


def _with_formulas(path: Path, name: str, sheet: str, book: Any) -> Iterator[list[str]]:
    """Cells as texts. Where a program left a formula without its value, the formula stands there as text."""
    if not _has_formulas(path):
        yield from ([shown(cell) for cell in row] for row in _rows(book[sheet]))
        return
    with _opened(path, name, formulas=True) as written:
        for values, formulas in zip(_rows(book[sheet]), _rows(written[sheet]), strict=True):
            yield [
                shown(value) or (str(formula.value) if formula.value is not None else "")
                for value, formula in zip(values, formulas, strict=True)
            ]


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.namelist():
            if entry.startswith("xl/worksheets/") and entry.endswith(".xml"):
                with archive.open(entry) as stream:
                    tail = b""
                    while chunk := stream.read(1 << 20):
                        if b"<f>" in tail + chunk or b"<f " in tail + chunk:
                            return True
                        tail = chunk[-3:]
    return False


def _trimmed(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def shown(cell: Any) -> str:
    """A cell as the spreadsheet shows it, as far as its number format is a common one; dates in ISO form."""
    value, form = cell.value, str(getattr(cell, "number_format", "") or "")
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        has_time = value.time() != time(0) or any(sign in form.lower() for sign in ("h", "ss"))
        return value.isoformat(sep=" ", timespec="seconds") if has_time else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return _number(value, form)


def _number(value: float, form: str) -> str:
    if not isfinite(value):
        return str(value)
    form = form.split(";")[0]
    decimals = len(found.group(1)) if (found := _DECIMALS.search(form)) else 0
    if form.rstrip().endswith("%"):
        return f"{value * 100:.{decimals}f}%"
    if _ZEROS.match(form) and value == int(value):
        return f"{int(value):0{len(form)}d}"
    if decimals and "E" not in form.upper().replace("GENERAL", ""):
        return f"{value:.{decimals}f}"
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.15g}"
