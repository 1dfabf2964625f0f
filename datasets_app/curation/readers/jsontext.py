"""One JSON text to one record: strict JSON, objects only, sentences for people. Knows nothing of files."""

from __future__ import annotations

import json

from datasets_app.curation.rows import Problem, Record

SEEN_CHARACTERS = 2000


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower()} at character {error.pos + 1}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)


def parse_record(text: str, *, row: int, line: int) -> Record | Problem:
    """Parse ``text``, record ``row`` of its file, which starts at ``line``."""
    seen = text[:SEEN_CHARACTERS]
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        detail = f"Line {line} is not complete JSON: {_reason(error)}. Correct the line or take it out."
        return Problem(row, line, "bad_json", detail, seen)
    if isinstance(value, dict):
        return Record(row, line, value)
    detail = f"Line {line} holds {_kind(value)} where an object with named fields is needed."
    return Problem(row, line, "not_an_object", detail, seen)


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a text"
    return "nothing (null)" if value is None else "a single value"
