"""What a file holds, before anything is done to it: format, columns, rows, findings, a preview, a guessed mapping."""

from __future__ import annotations

from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from datasets_app.curation.layouts import guess_mapping
from datasets_app.curation.readers.source import Source, open_source
from datasets_app.curation.rows import Finding, Problem, Record

SAMPLE = 200
PREVIEW = 8
CELL = 400


def _cell(value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= CELL else value[:CELL] + "…"
    if isinstance(value, list):
        return [_cell(item) for item in value[:20]]
    if isinstance(value, dict):
        return {str(key): _cell(item) for key, item in islice(value.items(), 20)}
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value if isinstance(value, int | float | bool) or value is None else str(value)


def _problems(problems: dict[str, list[Problem]]) -> list[Finding]:
    return [
        Finding("warning", found[0].detail, row=found[0].row, line=found[0].line, count=len(found))
        for _reason, found in sorted(problems.items())
    ]


def detect(path: Path) -> dict[str, Any]:
    """Read the whole file once. Raises Refusal where it cannot be read."""
    source = open_source(path)
    sample: list[Record] = []
    problems: dict[str, list[Problem]] = {}
    rows = 0
    for found in source.records():
        rows += 1
        if isinstance(found, Problem):
            problems.setdefault(found.reason, []).append(found)
        elif len(sample) < SAMPLE:
            sample.append(found)
    mapping = guess_mapping(sample) if sample else None
    findings = [*source.findings, *_problems(problems), *_layout_findings(mapping.layout if mapping else "unknown")]
    columns = list(dict.fromkeys(name for record in sample for name in record.values))
    return {
        "format": source.format,
        "encoding": source.encoding.name,
        "delimiter": _delimiter(source),
        "columns": columns or list(source.dialect.columns if source.dialect else ()),
        "rows": rows,
        "layout": mapping.layout if mapping else "unknown",
        "mapping": mapping.as_json() if mapping else {},
        "findings": [finding.as_json() for finding in findings],
        "preview": [_cell(dict(record.values)) for record in sample[:PREVIEW]],
    }


def _delimiter(source: Source) -> str | None:
    return source.dialect.delimiter if source.dialect else None


def _layout_findings(layout: str) -> list[Finding]:
    if layout in ("unknown", "text"):
        return [Finding("warning", "No column with an answer was recognised. Say which columns to learn from.")]
    return []
