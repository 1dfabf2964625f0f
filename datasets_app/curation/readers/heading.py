"""Where a table begins and what its columns are called: title rows, header, names. Knows rows of texts, no format."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from statistics import median

from datasets_app.curation.rows import Finding

LEADING_ROWS = 20
LONG_NAME = 80
LEAST_WORDS = 3  # of a sentence
LEAST_OF_LABEL = 3  # times that a value stands in its column, to be more than chance
_NUMBER = re.compile(r"^[-+]?[\d.,:/ -]*\d[\d.,:/ %-]*$")
_DATA = re.compile(r"^\d{4}-\d\d-\d\d[T ]|^[^\s@]+@[^\s@]+\.\w+$|^https?://", re.IGNORECASE)
_YEAR = re.compile(r"^(?:1[5-9]|20)\d\d$")
_NAMES_OF_COLUMNS = frozenset(
    (
        *("id", "conversationid", "role", "speaker", "text", "utterance", "message", "messages", "question", "answer"),
        *("prompt", "completion", "instruction", "input", "output", "response"),
        *("label", "category", "intent", "class", "topic"),
    )
)


@dataclass(frozen=True, slots=True)
class Heading:
    """Names of the columns; ``skipped`` rows stand above the header, or above the first record where none is.

    ``line``: where the header stands, from 1; 0 where there is none. ``was_other``: whether there is one was
    guessed otherwise before rows had digests, so that a number of then is another row's now.
    """

    columns: tuple[str, ...]
    has_header: bool
    skipped: int
    line: int = 0
    findings: tuple[Finding, ...] = ()
    was_other: bool = False


def field_key(name: str) -> str:
    """A column name without case, spaces and signs, for comparing: ``Conversation ID`` is ``conversationid``."""
    return re.sub(r"[\W_]", "", name.lower())


def find_heading(rows: list[list[str]], lines: list[int], *, given: int | None = None) -> Heading:
    """The heading of ``rows``, the first rows of a table, which start at ``lines`` (from 1).

    ``given``: the line that a person named as the header; 0 where there is none.
    """
    if given is None:
        skipped = _rows_above_header(rows)
        body = [row for row in rows[skipped:] if not is_comment(row)] or rows[skipped:] or [[""]]
        has_header = _is_header(body[0], body[1:])
    else:
        skipped = sum(line < given for line in lines) if given else 0
        body, has_header = rows[skipped:] or [[""]], given > 0
    columns, findings = _name_columns(body[0] if has_header else [""] * common_width(body)[0])
    if skipped:
        note = "Rows above the header were skipped; they are no records."
        findings.insert(0, Finding("warning", note, line=lines[0] if lines else 1, count=skipped))
    if not has_header and given is None:
        findings.append(Finding("info", "The first row looks like data, so the columns were numbered."))
    if has_header and given is None and not any(field_key(cell) in _NAMES_OF_COLUMNS for cell in body[0]):
        at = lines[min(skipped, len(lines) - 1)] if lines else 1
        findings.append(Finding("info", "This line was taken as the names of the columns.", line=at))
    line = lines[min(skipped, len(lines) - 1)] if has_header and lines else 0
    was_other = given is None and _was_header(body[0], body[1:]) != has_header
    return Heading(tuple(columns), has_header, skipped, line, tuple(findings), was_other)


def common_width(rows: list[list[str]]) -> tuple[int, int]:
    """The most frequent number of fields, and how many rows have it."""
    return Counter(len(row) for row in rows if not is_comment(row) or len(rows) == 1).most_common(1)[0]


def is_comment(row: list[str]) -> bool:
    """A line of its own that begins with a hash sign."""
    return len(row) == 1 and row[0].startswith("#")


def _rows_above_header(rows: list[list[str]]) -> int:
    """Title lines and comments have few filled cells where the table has several."""
    if len(rows) < 3 or all(map(is_comment, rows)):
        return 0
    width = max(common_width(rows)[0], _usual_width(rows))
    if width < 2:
        return 0
    enough = max(2, width / 2) if width > 3 else 2
    for index, row in enumerate(rows[:LEADING_ROWS]):
        if sum(bool(cell.strip()) for cell in row) >= enough and not row[0].startswith("#"):
            return index
    return 0


def _usual_width(rows: list[list[str]]) -> int:
    """The width of most rows that have more than one field, where they are not few: notes may outnumber no table."""
    wide = [row for row in rows if len(row) > 1]
    return common_width(wide)[0] if len(wide) > len(rows) / 2 else 0


def _is_header(first: list[str], rest: list[list[str]]) -> bool:
    cells = [cell.strip() for cell in first]
    if any(field_key(cell) in _NAMES_OF_COLUMNS for cell in cells) or _is_years(cells):
        return True
    if not _could_be_header(first):
        return False
    others = [row for row in rest if row != first]  # headers of tables that were joined stand among the rows
    return len(others) >= len(rest) / 2 and not _is_like(first, others)


def _was_header(first: list[str], rest: list[list[str]]) -> bool:
    """What was guessed then: names, unless the first of them stood often in its column."""
    cells = [cell.strip() for cell in first]
    if any(field_key(cell) in _NAMES_OF_COLUMNS for cell in cells) or _is_years(cells):
        return True
    repeated = sum(row[0] == first[0] for row in rest if row)
    return _could_be_header(first) and not (len(rest) > 2 and repeated > len(rest) * 0.05)


def _could_be_header(first: list[str]) -> bool:
    """Whether a row has values, and none that names of columns have not."""
    cells = [cell.strip() for cell in first]
    return any(cells) and not any(_NUMBER.match(cell) or _DATA.match(cell) or len(cell) > LONG_NAME for cell in cells)


def _is_like(first: list[str], rest: list[list[str]]) -> bool:
    """Whether a row is one of those below it: a cell of it is a label there, most stand in their columns again, or all its
    cells are sentences as long as theirs, or stand there again beside such. One cell that returns may be chance."""
    columns = [[row[place] for row in rest if place < len(row)] for place in range(len(first))]
    pairs = [(cell, column) for cell, column in zip(first, columns, strict=True) if cell.strip()]
    again = [cell in column for cell, column in pairs]
    if any(_is_label(cell, column) for cell, column in pairs) or sum(again) > len(first) / 2:
        return True
    alike = [_is_sentence_like(cell, column) for cell, column in pairs]
    told = [one or other for one, other in zip(again, alike, strict=True)]
    return len(rest) > 1 and len(told) == len(first) and any(alike) and all(told)


def _is_label(cell: str, column: list[str]) -> bool:
    """Whether a value is one of few that repeat, and about as often as they do."""
    values = Counter([cell, *column])
    mean = values.total() / len(values)
    return mean >= 2 and values[cell] >= max(LEAST_OF_LABEL, mean / 2)


def _is_sentence_like(cell: str, column: list[str]) -> bool:
    """Whether a sentence is as long as most of its column; a question, as those of surveys, only above others."""
    if not column or not _is_sentence(cell):
        return False
    if cell.rstrip().endswith("?") and sum(each.rstrip().endswith("?") for each in column) <= len(column) / 2:
        return False
    return len(cell.split()) / 2 <= _usual_words(column) <= 2 * len(cell.split())


def _is_sentence(cell: str) -> bool:
    return len(cell.split()) >= LEAST_WORDS


def _usual_words(column: list[str]) -> float:
    return median(len(cell.split()) for cell in column)


def _is_years(cells: list[str]) -> bool:
    """A name (or none) and then years in their order."""
    years = [int(cell) for cell in cells[1:] if _YEAR.match(cell)]
    others = [cell for cell in cells[1:] if cell and not _YEAR.match(cell)]
    return len(years) > 2 and not others and years == sorted(set(years)) and not _NUMBER.match(cells[0])


def _name_columns(header: list[str]) -> tuple[list[str], list[Finding]]:
    """Names as given; an empty one is numbered, a repeated one gets a number, and repeated ones are told."""
    names: dict[str, None] = {}
    repeated: list[tuple[str, str]] = []
    for index, cell in enumerate(header, start=1):
        name = given = " ".join(cell.split()) or f"column_{index}"
        number = index
        while name in names:
            name, number = f"{given}_{number}", number + 1
        if name != given:
            repeated.append((given, name))
        names[name] = None
    findings = [
        Finding("warning", f"Two columns are called “{given[:80]}”; the later one is “{name[:90]}”.")
        for given, name in repeated[:10]
    ]
    if len(repeated) > 10:
        findings.append(Finding("warning", "More columns share their names; each got a number.", count=len(repeated)))
    return list(names), findings
