"""How a delimited file is laid out: delimiter, quoting, header, title rows. Decides from a sample; reads no file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log2

from datasets_app.curation.rows import Finding

DELIMITERS = (",", "\t", ";", "|")
NO_DELIMITER = "\x1f"
LEADING_ROWS = 20
_NUMBER = re.compile(r"^[-+]?[\d.,:/ -]*\d[\d.,:/ %-]*$")
_NAMES_OF_COLUMNS = frozenset(
    (
        *("id", "conversationid", "role", "speaker", "text", "utterance", "message", "messages", "question", "answer"),
        *("prompt", "completion", "instruction", "input", "output", "response"),
        *("label", "category", "intent", "class", "topic"),
    )
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The layout of a delimited file: ``skipped`` rows stand above the table; a file of one column has NO_DELIMITER."""

    delimiter: str
    quoting: bool
    columns: tuple[str, ...]
    has_header: bool
    skipped: int
    findings: tuple[Finding, ...] = ()


def field_key(name: str) -> str:
    """A column name without case, spaces and signs, for comparing: ``Conversation ID`` is ``conversationid``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def guess_dialect(sample: str, *, suffix: str) -> Dialect:
    """Guess the dialect of ``sample``, the beginning of a file whose name ends in ``suffix``."""
    delimiter, quoting, rows = _best_reading(sample, suffix)
    skipped = _rows_above_header(rows)
    body = [row for row in rows[skipped:] if not _is_comment(row)] or rows[skipped:] or [[""]]
    has_header = _is_header(body[0], body[1:])
    columns, findings = _name_columns(body[0] if has_header else [""] * _common_width(body)[0])
    if skipped:
        note = "Rows above the header were skipped; they are no records."
        findings.insert(0, Finding("warning", note, line=1, count=skipped))
    if not has_header:
        findings.append(Finding("info", "The first row looks like data, so the columns were numbered."))
    return Dialect(delimiter, quoting, tuple(columns), has_header, skipped, tuple(findings))


def csv_reader(lines: Iterable[str], delimiter: str, *, quoting: bool) -> Iterator[list[str]]:
    """The `csv` reader, with or without quotes that mean something."""
    if quoting:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL)
    return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def parse_rows(sample: str, delimiter: str, *, quoting: bool) -> list[list[str]]:
    """Parse ``sample`` whole, blank lines left out. Text that csv refuses ends the list."""
    rows: list[list[str]] = []
    try:
        for fields in csv_reader(io.StringIO(sample, newline=""), delimiter, quoting=quoting):
            if fields:
                rows.append(fields)
    except csv.Error:
        return rows
    return rows


def _best_reading(sample: str, suffix: str) -> tuple[str, bool, list[list[str]]]:
    best: tuple[float, str, bool, list[list[str]]] = (0.0, ",", True, [])
    for delimiter in DELIMITERS:
        for quoting in (True, False):
            rows = parse_rows(sample, delimiter, quoting=quoting)
            score = 0.0 if quoting and delimiter == "\t" and not _quotes_are_strict(sample) else _score(rows)
            if score and quoting:
                score += 0.05
            if score and (delimiter == "\t") == (suffix in {".tsv", ".tab"}):
                score += 0.05
            if score > best[0]:
                best = (score, delimiter, quoting, rows)
    if not best[3]:
        return NO_DELIMITER, True, parse_rows(sample, NO_DELIMITER, quoting=True)
    return best[1], best[2], best[3]


def _common_width(rows: list[list[str]]) -> tuple[int, int]:
    """The most frequent number of fields, and how many rows have it."""
    return Counter(len(row) for row in rows if not _is_comment(row) or len(rows) == 1).most_common(1)[0]


def _is_comment(row: list[str]) -> bool:
    return len(row) == 1 and row[0].startswith("#")


def _quotes_are_strict(sample: str) -> bool:
    """Tab-separated text often holds quotes as plain signs; those of a table end where their field ends."""
    try:
        for _fields in csv.reader(io.StringIO(sample, newline=""), delimiter="\t", strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return True


def _score(rows: list[list[str]]) -> float:
    """Share of rows with the common width, a little more for more columns; 0 for a reading in one column."""
    rows = [row for row in rows if not _is_comment(row)]
    if not rows:
        return 0.0
    width, count = _common_width(rows)
    if width < 2:
        width = len(rows[0])
        count = sum(len(row) == width for row in rows)
    if width < 2 or (count < len(rows) / 2 and len(rows) > 6):
        return 0.0
    return count / len(rows) + 0.02 * log2(width)


def _rows_above_header(rows: list[list[str]]) -> int:
    """Title lines and comments have one filled cell where the table has several."""
    if len(rows) < 3 or all(map(_is_comment, rows)) or _common_width(rows)[0] < 2:
        return 0
    for index, row in enumerate(rows[:LEADING_ROWS]):
        if sum(bool(cell.strip()) for cell in row) > 1 and not row[0].startswith("#"):
            return index
    return 0


def _is_header(first: list[str], rest: list[list[str]]) -> bool:
    cells = [cell.strip() for cell in first]
    if any(field_key(cell) in _NAMES_OF_COLUMNS for cell in cells):
        return True
    if any(_NUMBER.match(cell) or len(cell) > 80 for cell in cells) or not any(cells):
        return False
    repeated = Counter(row[0] for row in rest if row)[first[0]]
    return not (len(rest) > 2 and repeated > len(rest) * 0.05)


def _name_columns(header: list[str]) -> tuple[list[str], list[Finding]]:
    """Names as given; an empty one is numbered, a repeated one gets a number, and both are told."""
    names: list[str] = []
    findings: list[Finding] = []
    for index, cell in enumerate(header, start=1):
        name = " ".join(cell.split()) or f"column_{index}"
        if name in names:
            findings.append(Finding("warning", f"Two columns are called “{name}”; the later one is “{name}_{index}”."))
            name = f"{name}_{index}"
        names.append(name)
    return names, findings
