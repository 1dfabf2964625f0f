"""A file as a source of records: which format it is in and how to read it, whichever that is. Maps nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.columnar import parquet_columns, read_parquet
from datasets_app.curation.readers.delimited import read_delimited
from datasets_app.curation.readers.dialect import NO_DELIMITER, Dialect, guess_dialect, is_even
from datasets_app.curation.readers.encoding import Encoding, find_encoding
from datasets_app.curation.readers.heading import Heading
from datasets_app.curation.readers.json_array import read_json_array
from datasets_app.curation.readers.json_lines import read_json_lines
from datasets_app.curation.readers.json_object import json_kind, read_json_object
from datasets_app.curation.readers.mbox import is_mbox, read_mbox
from datasets_app.curation.readers.options import AS_FOUND, Reading
from datasets_app.curation.readers.plaintext import read_text, text_kind
from datasets_app.curation.readers.signatures import refuse_markup
from datasets_app.curation.readers.stream import Place, open_text
from datasets_app.curation.readers.workbook import is_workbook, read_sheet, sheet_heading, sheets_of
from datasets_app.curation.rows import Finding, Problem, Record

SAMPLE_CHARACTERS = 1 << 18
MOST_SAMPLE = 1 << 24
TEXT_CHARACTERS = 1 << 15
TEXT_SUFFIXES = frozenset({".txt", ".text", ".log", ".md"})


@dataclass(slots=True)
class Source:
    """One file, member of an archive or sheet, opened far enough to know how to read it.

    ``name`` stands in ledgers; ``upload`` is the name of the file it came in. ``place`` follows the reading in bytes.
    """

    path: Path
    name: str
    upload: str
    format: str
    encoding: Encoding
    dialect: Dialect | None = None
    sheet: str | None = None
    heading: Heading | None = None
    kind: str = ""
    notes: tuple[Finding, ...] = ()
    place: Place = field(default_factory=Place)

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self.path.stat().st_size

    @property
    def table(self) -> Heading | None:
        """Where the table begins and its columns' names; None for what is no table."""
        return self.dialect.heading if self.dialect else self.heading

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What opening the file brought to light."""
        return self.notes + self.encoding.findings + (self.table.findings if self.table else ())

    def records(self) -> Iterator[Record | Problem]:
        """Read the file from its beginning."""
        self.place.done = 0
        if self.format == "parquet":
            yield from read_parquet(self.path, self.name, self.place)
        elif self.sheet is not None and self.heading is not None:
            yield from read_sheet(self.path, self.name, self.sheet, self.heading, self.place)
        elif self.format == "mbox":
            yield from read_mbox(self.path, self.encoding, self.place)
        else:
            yield from self._text_records()

    def _text_records(self) -> Iterator[Record | Problem]:
        newline = "" if self.dialect else None
        with open_text(self.path, self.encoding, newline=newline, place=self.place) as stream:
            if self.dialect:
                yield from read_delimited(stream, self.dialect)
            elif self.format == "json":
                yield from read_json_array(stream)
            elif self.format == "json_object":
                yield from read_json_object(stream)
            elif self.format == "text":
                yield from read_text(stream, self.kind)
            else:
                yield from read_json_lines(stream)


def open_file(path: Path, *, name: str, upload: str, reading: Reading = AS_FOUND) -> list[Source]:
    """Look at ``path`` and return how it is read: one source, or one a sheet. Raises Refusal where it cannot be."""
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
        if magic == b"PAR1":
            parquet_columns(path, name)
            return [Source(path, name, upload, "parquet", Encoding("binary"))]
        if magic == b"PK\x03\x04" and is_workbook(path):
            return _sheets(path, name=name, upload=upload, reading=reading)
        return [_open_text(path, name=name, upload=upload, reading=reading)]
    except OSError as error:
        fix = "Check that the file is there and may be read."
        raise Refusal(code="unreadable_file", message=f"{name} cannot be opened.", fix=fix) from error


def _sheets(path: Path, *, name: str, upload: str, reading: Reading) -> list[Source]:
    titles, notes = sheets_of(path, name, reading)
    found = []
    for number, title in enumerate(titles):
        shown = name if len(titles) == 1 else f"{name}/{title}"
        heading = sheet_heading(path, name, title, reading)
        told = tuple(notes) if number == 0 else ()
        found.append(Source(path, shown, upload, "xlsx", Encoding("binary"), sheet=title, heading=heading, notes=told))
    return found


def _beginning(stream: TextIO) -> str:
    """Enough of a file to tell what it is: of very wide tables, the header and a row."""
    sample = stream.read(SAMPLE_CHARACTERS)
    while sample.count("\n") < 2 and len(sample) < MOST_SAMPLE and (more := stream.read(SAMPLE_CHARACTERS)):
        sample += more
    return sample


def _open_text(path: Path, *, name: str, upload: str, reading: Reading) -> Source:
    encoding = find_encoding(path, name=name, given=reading.encoding)
    with open_text(path, encoding, newline="") as stream:
        sample = _beginning(stream).replace("\0", "\ufffd")
        is_whole = not stream.read(1)
    if not sample.strip():
        fix = "Export it again and check that it holds at least one row."
        raise Refusal(code="empty_file", message=f"{name} holds only blank lines.", fix=fix)
    suffix = Path(name).suffix.lower()
    asks_for_table = reading.delimiter is not None or reading.header is not None
    if not asks_for_table:
        refuse_markup(name, sample)
        if kind := json_kind(sample, suffix=suffix):
            return Source(path, name, upload, kind, encoding)
        if is_mbox(sample):
            return Source(path, name, upload, "mbox", encoding)
    if not is_whole:
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    dialect = guess_dialect(sample, suffix=suffix, reading=reading, is_whole=is_whole)
    if not asks_for_table and dialect.delimiter in (NO_DELIMITER, ","):
        kind = text_kind(sample[:TEXT_CHARACTERS])
        if "transcript" in kind or (suffix in TEXT_SUFFIXES and not is_even(sample, dialect.splitting)):
            return Source(path, name, upload, "text", encoding, kind=kind)
    return Source(path, name, upload, "tsv" if dialect.delimiter == "\t" else "csv", encoding, dialect)
