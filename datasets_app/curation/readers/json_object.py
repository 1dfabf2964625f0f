"""JSON that is no plain list of rows: telling which kind a text is, and the rows of one large object. Maps nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TextIO

from datasets_app.curation.readers.jsontext import parse_record
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.splitnames import split_named

OBJECT_CHARACTERS = 64 * 1024 * 1024
_DECODER = json.JSONDecoder()
_NEXT = re.compile(r"\S")


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
    """One object: the rows of its lists of objects (see `_rows`) or of its columns, else the object as the only row; or
    several objects, one below the other."""
    text = stream.read(OBJECT_CHARACTERS)
    if stream.read(1):
        detail = (
            f"The object is longer than {OBJECT_CHARACTERS:,} characters. Write its rows as a list or as JSON Lines."
        )
        yield Problem(0, 1, "too_long", detail, text[:2000])
        return
    whole = parse_record(text, row=0, line=1)
    if isinstance(whole, Problem):
        yield from _several(text) or [whole]
        return
    rows, unread = _rows(whole.values)
    for row, values in enumerate(rows):
        if isinstance(values, dict):
            yield Record(row, None, values)
        else:
            detail = f"Row {row + 1:,} is no object with named fields."
            yield Problem(row, None, "not_an_object", detail, str(values)[:2000])
    for row, (name, count) in enumerate(unread, start=len(rows)):
        detail = f"The list {name[:60]} of the object, with {count:,} rows, was not read."
        yield Problem(row, None, "other_list", f"{detail} Put it into a file of its own if it is meant.")


def _several(text: str) -> list[Record | Problem]:
    """Objects that stand one below the other, as some databases print them; none where the first is not whole."""
    found: list[Record | Problem] = []
    at, line = 0, 1
    while start := _NEXT.search(text, at):
        line += text.count("\n", at, start.start())
        at = start.start()
        try:
            _value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = len(text)
            if not found:
                return []
        found.append(parse_record(text[at:end], row=len(found), line=line))
        line += text.count("\n", at, end)
        at = end
    return found


def _columns(whole: Mapping[str, object]) -> list[object] | None:
    """The rows of a table that was written by its columns, as pandas and datasets do; None for what is none."""
    names, data = whole.get("columns"), whole.get("data")
    if isinstance(names, list) and isinstance(data, list) and all(isinstance(row, list) for row in data):
        return [dict(zip(map(str, names), row, strict=False)) if len(row) == len(names) else row for row in data]
    columns = list(whole.values())
    if len(columns) < 2 or not columns[0]:
        return None
    if all(isinstance(column, dict) and _are_numbered(column, columns[0]) for column in columns):
        columns = [list(column.values()) for column in columns]  # type: ignore[attr-defined]
    elif not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):  # type: ignore[arg-type]
        return None
    return [dict(zip(whole, row, strict=True)) for row in zip(*columns, strict=True)]  # type: ignore[arg-type]


def _are_numbered(column: Mapping[str, object], first: object) -> bool:
    """Whether a column's cells stand under the numbers of rows, the same as the first column's."""
    return isinstance(first, dict) and list(column) == list(first) and all(name.isdigit() for name in column)


def _rows(whole: Mapping[str, object]) -> tuple[list[object], list[tuple[str, int]]]:
    """The rows of the lists that are called like splits, under `split` what they are called, else of the longest list;
    and the names and lengths of the others. An object without a list, and a conversation, is its own row."""
    lists = {
        name: value for name, value in whole.items() if isinstance(value, list) and value and isinstance(value[0], dict)
    }
    if (rows := _columns(whole)) and not lists:
        return rows, []
    if not lists or any(key in whole for key in ("messages", "conversations")):
        return [dict(whole)], []
    longest = max(lists, key=lambda name: len(lists[name]))
    if not split_named(longest):
        return lists[longest], [(name, len(rows)) for name, rows in lists.items() if name != longest]
    found: list[object] = []
    for name, rows in lists.items():
        if split_named(name):
            found += [{"split": name, **each} if isinstance(each, dict) else each for each in rows]
    return found, [(name, len(rows)) for name, rows in lists.items() if not split_named(name)]
