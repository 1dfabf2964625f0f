"""Personal data in a file, as findings with offsets. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datasets_app.curation.pii.recognizers import find
from datasets_app.curation.readers.source import open_source
from datasets_app.curation.rows import Record


def _texts(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, f"{name}[{place}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{name}.{key}")


def scan(path: Path, *, field: str | None = None) -> Iterator[dict[str, Any]]:
    """`{row, field, start, end, entity_type, score}`: characters `start` to `end` (exclusive) of that field."""
    for record in open_source(path).records():
        if not isinstance(record, Record):
            continue
        for name, value in record.values.items():
            if field is not None and name != field:
                continue
            for where, text in _texts(value, name):
                for span in find(text):
                    yield {
                        "row": record.row,
                        "field": where,
                        "start": span.start,
                        "end": span.end,
                        "entity_type": span.entity_type,
                        "score": round(span.score, 3),
                    }
