"""A file as a source of records: which format it is in and how to read it, whichever that is. Maps nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.columnar import parquet_columns, read_parquet
from datasets_app.curation.readers.delimited import read_delimited
from datasets_app.curation.readers.dialect import Dialect, guess_dialect
from datasets_app.curation.readers.encoding import Encoding, find_encoding
from datasets_app.curation.readers.json_array import read_json_array
from datasets_app.curation.readers.json_lines import read_json_lines
from datasets_app.curation.readers.jsontext import parse_record
from datasets_app.curation.readers.stream import Place, open_text
from datasets_app.curation.rows import Finding, Problem, Record

SAMPLE_CHARACTERS = 1 << 18
OBJECT_CHARACTERS = 64 * 1024 * 1024


@dataclass(slots=True)
class Source:
    """One file, opened far enough to know how to read it. ``place`` follows the reading in bytes."""

    path: Path
    format: str
    encoding: Encoding
    dialect: Dialect | None = None
    place: Place = field(default_factory=Place)

    @property
    def name(self) -> str:
        """The file's name, as it stands in ledgers."""
        return self.path.name

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self.path.stat().st_size

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What opening the file brought to light."""
        return self.encoding.findings + (self.dialect.findings if self.dialect else ())

    def records(self) -> Iterator[Record | Problem]:
        """Read the file from its beginning."""
        self.place.done = 0
        if self.format == "parquet":
            yield from read_parquet(self.path, self.place)
            return
        newline = "" if self.dialect else None
        with open_text(self.path, self.encoding, newline=newline, place=self.place) as stream:
            if self.dialect:
                yield from read_delimited(stream, self.dialect)
            elif self.format == "json":
                yield from read_json_array(stream)
            elif self.format == "json_object":
                yield from _read_object(stream.read(OBJECT_CHARACTERS))
            else:
                yield from read_json_lines(stream)


def open_source(path: Path) -> Source:
    """Look at ``path`` and return how it is read. Raises Refusal where it cannot be."""
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
        if magic == b"PAR1":
            parquet_columns(path)
            return Source(path, "parquet", Encoding("binary"))
        return _open_text_source(path, find_encoding(path))
    except OSError as error:
        fix = "Check that the file is there and may be read."
        raise Refusal(code="unreadable_file", message=f"{path.name} cannot be opened.", fix=fix) from error


def _open_text_source(path: Path, encoding: Encoding) -> Source:
    with open_text(path, encoding, newline="") as stream:
        sample = stream.read(SAMPLE_CHARACTERS).replace("\0", "\ufffd")
        is_whole = not stream.read(1)
    if not sample.strip():
        fix = "Export it again and check that it holds at least one row."
        raise Refusal(code="empty_file", message=f"{path.name} holds only blank lines.", fix=fix)
    kind = _json_kind(sample, suffix=path.suffix.lower())
    if kind:
        return Source(path, kind, encoding)
    if not is_whole:
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    dialect = guess_dialect(sample, suffix=path.suffix.lower())
    return Source(path, "tsv" if dialect.delimiter == "\t" else "csv", encoding, dialect)


def _json_kind(sample: str, *, suffix: str) -> str | None:
    """``json`` (a list), ``jsonl``, ``json_object`` (one object), or None for what is no JSON by its looks."""
    start = sample.lstrip()
    if start[0] == "[" and (suffix in {".json", ".jsonl"} or start[1:].lstrip()[:1] in {"{", "]"}):
        return "json"
    if start[0] == "{" and not _stands_alone(start):
        return "json_object" if _first_line_is_open(start) else "jsonl"
    if start[0] == "{" or suffix in {".jsonl", ".ndjson"}:
        return "jsonl"
    return "json" if suffix == ".json" else None


def _stands_alone(start: str) -> bool:
    """Whether the first line is one whole JSON value: then the file is JSON Lines."""
    try:
        json.loads(start.split("\n", 1)[0])
    except (ValueError, RecursionError):
        return False
    return True


def _first_line_is_open(start: str) -> bool:
    """A pretty-printed object opens a bracket in its first line that the line does not close, and goes on below."""
    first, _, rest = start.partition("\n")
    ends_open = first.rstrip().endswith(("{", "[", ",", ":"))
    return ends_open and bool(rest.strip()) and not rest.lstrip().startswith("{")


def _read_object(text: str) -> Iterator[Record | Problem]:
    """One object: the rows of its longest list of objects, else the object as the only row."""
    whole = parse_record(text, row=0, line=1)
    if isinstance(whole, Problem):
        yield whole
        return
    lists = [
        value for value in whole.values.values() if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    rows = max(lists, key=len, default=[whole.values])
    for row, values in enumerate(rows):
        if isinstance(values, dict):
            yield Record(row, None, values)
        else:
            yield Problem(
                row, None, "not_an_object", f"Record {row} is no object with named fields.", str(values)[:2000]
            )
