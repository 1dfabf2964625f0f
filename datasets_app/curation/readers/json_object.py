"""JSON that is no plain list of rows: telling which kind a text is, and the rows of one large object. Maps nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO

from datasets_app.curation.readers.jsontext import parse_record
from datasets_app.curation.rows import Problem, Record

OBJECT_CHARACTERS = 64 * 1024 * 1024


def json_kind(sample: str, *, suffix: str) -> str | None:
    """``json`` (a list), ``jsonl``, ``json_object`` (one object), or None for what is no JSON by its looks."""
    start = sample.lstrip()
    if start[0] == "[" and (suffix in {".json", ".jsonl"} or start[1:].lstrip()[:1] in {"{", "]"}):
        return "jsonl" if suffix != ".json" and _is_list_a_line(start) else "json"
    if start[0] == "{" and not _stands_alone(start):
        return "json_object" if _first_line_is_open(start) else "jsonl"
    if start[0] == "{":
        return "json_object" if suffix == ".json" and "\n" not in start.strip() else "jsonl"
    if suffix in {".jsonl", ".ndjson"}:
        return "jsonl"
    return "json" if suffix == ".json" else None


def _is_list_a_line(start: str) -> bool:
    """Lists of messages, one a line, are JSON Lines although they begin like one list."""
    lines = [line for line in start.split("\n")[:3] if line.strip()]
    return len(lines) > 1 and all(_stands_alone(line) and line.rstrip().endswith("]") for line in lines[:-1])


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


def read_json_object(stream: TextIO) -> Iterator[Record | Problem]:
    """One object: the rows of its longest list of objects, else the object as the only row."""
    text = stream.read(OBJECT_CHARACTERS)
    if stream.read(1):
        detail = (
            f"The object is longer than {OBJECT_CHARACTERS:,} characters. Write its rows as a list or as JSON Lines."
        )
        yield Problem(0, 1, "too_long", detail, text[:2000])
        return
    whole = parse_record(text, row=0, line=1)
    if isinstance(whole, Problem):
        yield whole
        return
    lists = [
        value for value in whole.values.values() if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    is_conversation = any(key in whole.values for key in ("messages", "conversations"))
    rows = [whole.values] if is_conversation else max(lists, key=len, default=[whole.values])
    for row, values in enumerate(rows):
        if isinstance(values, dict):
            yield Record(row, None, values)
        else:
            detail = f"Row {row + 1:,} is no object with named fields."
            yield Problem(row, None, "not_an_object", detail, str(values)[:2000])
