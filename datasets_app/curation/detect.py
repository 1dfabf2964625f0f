"""What a file holds, before anything is done to it: format, columns, rows, findings, a preview, a guessed mapping.

One pass, bounded memory. The first seven keys are a contract; the others serve the page on which people correct a guess.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from datasets_app.curation.layouts import NO_ANSWER_COLUMN, ColumnMap, guess_mapping
from datasets_app.curation.readers.dialect import NO_DELIMITER
from datasets_app.curation.readers.options import AS_FOUND, Reading
from datasets_app.curation.readers.source import Source
from datasets_app.curation.readers.upload import Upload, opened
from datasets_app.curation.records import SAMPLES
from datasets_app.curation.rows import Finding, Problem, Record

PREVIEW = 8
CELL = 400
MOST_COLUMNS = 1000
MOST_SOURCES = 200


@dataclass(slots=True)
class _Look:
    """What one source turned out to hold."""

    source: Source
    rows: int = 0
    sample: list[Record] = field(default_factory=list)
    problems: dict[str, list[Any]] = field(default_factory=dict)
    mapping: ColumnMap = field(default_factory=ColumnMap)

    def take(self, found: Record | Problem) -> None:
        self.rows += 1
        if isinstance(found, Problem):
            self.problems.setdefault(found.reason, [found, 0])[1] += 1
        elif len(self.sample) < SAMPLES:
            self.sample.append(found)

    @property
    def columns(self) -> list[str]:
        found = list(dict.fromkeys(name for record in self.sample for name in record.values))
        return found or list(self.source.table.columns if self.source.table else ())

    def findings(self) -> list[Finding]:
        """Of the file, of its rows that could not be read (the first of each kind, with its count), of its layout."""
        rows = [
            Finding("warning", first.detail, row=first.row, line=first.line, count=count)
            for _reason, (first, count) in sorted(self.problems.items())
        ]
        return [*self.source.findings, *rows, *_layout_findings(self.mapping)]

    def facts(self) -> dict[str, Any]:
        """Format, encoding, delimiter, columns, rows, layout and mapping."""
        delimiter = self.source.dialect.delimiter if self.source.dialect else None
        return {
            "format": self.source.format,
            "encoding": self.source.encoding.name,
            "delimiter": None if delimiter == NO_DELIMITER else delimiter,
            "columns": self.columns[:MOST_COLUMNS],
            "rows": self.rows,
            "layout": self.mapping.layout,
            "mapping": self.mapping.as_json() if self.sample else {},
        }


def _cell(value: object) -> object:
    if isinstance(value, str):
        if len(value) > CELL and value.lstrip().startswith("[{"):  # cut as a text, it would be a list no more
            with suppress(ValueError, RecursionError):
                return _cell(json.loads(value))
        return value if len(value) <= CELL else value[:CELL] + "…"
    if isinstance(value, list):
        return [_cell(item) for item in value[:20]]
    if isinstance(value, dict):
        return {str(key): _cell(item) for key, item in islice(value.items(), 20)}
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value if isinstance(value, int | float | bool) or value is None else str(value)


def detect(path: Path, *, reading: Reading = AS_FOUND) -> dict[str, Any]:
    """Read the whole file once, as `reading` says. Raises Refusal where nothing of it can be read."""
    with opened(path, {path.name: reading} if reading != AS_FOUND else {}) as upload:
        looks = [_look(source) for source in upload.sources]
        return _told(upload, looks, reading)


def _look(source: Source) -> _Look:
    found = _Look(source)
    for each in source.records():
        found.take(each)
    found.mapping = guess_mapping(found.sample) if found.sample else found.mapping
    return found


def _told(upload: Upload, looks: list[_Look], reading: Reading) -> dict[str, Any]:
    """The source with most rows speaks for the file; where there are several, each is listed too."""
    main = max(looks, key=lambda look: look.rows)
    facts, several = main.facts(), len(looks) + len(upload.refused) > 1
    findings = [_named(each, look.source.name if several else "") for look in looks for each in look.findings()]
    findings += [Finding("error", refusal.sentence) for _name, refusal in upload.refused]
    source = main.source
    told: dict[str, Any] = {
        **{key: facts[key] for key in ("format", "encoding", "delimiter", "columns")},
        "rows": sum(look.rows for look in looks),
        "findings": [finding.as_json() for finding in findings],
        "preview": [_cell(dict(islice(record.values.items(), MOST_COLUMNS))) for record in main.sample[:PREVIEW]],
        "layout": facts["layout"],
        "mapping": facts["mapping"],
        "header": source.table.line if source.table else None,
        "sheet": source.sheet,
        "encodings": [{"encoding": name, "sample": sample} for name, sample in source.encoding.alternatives],
        "reading": reading.as_json(),
    }
    if several:
        told["files"] = [{"name": look.source.name, **look.facts()} for look in looks[:MOST_SOURCES]]
    return told


def _named(finding: Finding, name: str) -> Finding:
    return replace(finding, message=f"{name}: {finding.message}") if name else finding


def _layout_findings(mapping: ColumnMap) -> list[Finding]:
    if mapping.layout in ("unknown", "text"):
        return [Finding("warning", NO_ANSWER_COLUMN)]
    if mapping.tools:
        return [Finding("info", f"The {mapping.tools} of each row are put into its system prompt.")]
    return []
