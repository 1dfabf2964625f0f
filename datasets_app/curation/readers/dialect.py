"""How a delimited file is laid out: delimiter, quoting, heading. Decides from a sample; reads no file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import log2

from datasets_app.curation.readers.heading import Heading, common_width, find_heading, is_comment
from datasets_app.curation.readers.options import AS_FOUND, Reading
from datasets_app.curation.readers.splitting import Lines, Splitting, split
from datasets_app.curation.rows import Finding

DELIMITERS = (",", "\t", ";", "|")
NO_DELIMITER = "\x1f"
_SPACED_QUOTE = re.compile(r'[,;|] +"[^"\n]*" *(?:[,;|]|$)', re.MULTILINE)
_ESCAPED_QUOTE = re.compile(r'"[^"\n]*[^\\"\n]\\"[^,;|\t\n]')


@dataclass(frozen=True, slots=True)
class Dialect:
    """The layout of a delimited file. A file of one column has NO_DELIMITER."""

    splitting: Splitting
    heading: Heading

    @property
    def delimiter(self) -> str:
        """The sign between fields."""
        return self.splitting.delimiter

    @property
    def quoting(self) -> bool:
        """Whether quotes mean something."""
        return self.splitting.quoting

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.heading.columns

    @property
    def has_header(self) -> bool:
        """Whether a row names the columns."""
        return self.heading.has_header

    @property
    def skipped(self) -> int:
        """How many rows stand above the table."""
        return self.heading.skipped

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is worth telling about the heading."""
        return self.heading.findings


def guess_dialect(sample: str, *, suffix: str, reading: Reading = AS_FOUND, is_whole: bool = True) -> Dialect:
    """Guess the dialect of ``sample``, the beginning of a file whose name ends in ``suffix``, within ``reading``."""
    delimiters = (reading.delimiter,) if reading.delimiter else DELIMITERS
    splitting = _best_splitting(sample, suffix, delimiters, is_whole=is_whole)
    rows, lines = parse_rows(sample, splitting)
    return Dialect(splitting, find_heading(rows, lines, given=reading.header))


def parse_rows(sample: str, splitting: Splitting) -> tuple[list[list[str]], list[int]]:
    """Rows of ``sample`` as the reader will split them and the lines at which they start, blank lines left out.

    A row that cannot be split has one field.
    """
    lines = Lines(io.StringIO(sample, newline=""))
    found = [
        ([lines.seen()] if isinstance(fields, str) else fields, line)
        for line, fields in split(lines, splitting, is_sample=True)
    ]
    return [fields for fields, _line in found], [line for _fields, line in found]


def is_even(sample: str, splitting: Splitting) -> bool:
    """Whether nearly all rows of ``sample`` have the same number of fields, and more than one: prose has not."""
    rows = parse_rows(sample, splitting)[0]
    width, count = common_width(rows) if rows else (0, 0)
    return width > 1 and count > 0.9 * len(rows)


def _best_splitting(sample: str, suffix: str, delimiters: Iterable[str], *, is_whole: bool) -> Splitting:
    best, most = Splitting(NO_DELIMITER), 0.0
    if (only := list(delimiters)) and len(only) == 1:
        best = Splitting(only[0])
    for delimiter in only:
        for quoting in (True, False):
            splitting = Splitting(delimiter, quoting, skip_space=quoting and bool(_SPACED_QUOTE.search(sample)))
            if quoting and delimiter == "\t" and not _quotes_are_strict(sample, "\t"):
                continue
            if not quoting and not is_whole and '"' in sample and _quotes_are_strict(sample, delimiter):
                continue  # the sample may end within a long field, whose lines are no rows
            score = _score(parse_rows(sample, splitting)[0])
            if score and quoting:
                score += 0.05
            if score and (delimiter == "\t") == (suffix in {".tsv", ".tab"}):
                score += 0.05
            if score > most:
                best, most = splitting, score
    return _with_escapes(sample, best)


def _with_escapes(sample: str, best: Splitting) -> Splitting:
    """Backslashes before quotes mean something where the rows come out more even with than without."""
    if not best.quoting or not _ESCAPED_QUOTE.search(sample):
        return best
    escaped = replace(best, escape="\\")
    plain, other = _score(parse_rows(sample, best)[0]), _score(parse_rows(sample, escaped)[0])
    return escaped if other > plain else best


def _quotes_are_strict(sample: str, delimiter: str) -> bool:
    """Tab-separated text often holds quotes as plain signs; those of a table end where their field ends."""
    try:
        for _fields in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return True


def _score(rows: list[list[str]]) -> float:
    """Share of rows with the common width, a little more for more columns; 0 for a reading in one column."""
    rows = [row for row in rows if not is_comment(row)]
    if not rows:
        return 0.0
    width, count = common_width(rows)
    if width < 2:
        width = len(rows[0])
        count = sum(len(row) == width for row in rows)
    if width < 2 or (count < len(rows) / 2 and len(rows) > 6):
        return 0.0
    return count / len(rows) + 0.02 * log2(width)
