"""One JSON text to one record: strict JSON, objects only, sentences for people. Knows nothing of files."""

from __future__ import annotations

import json
import re

from datasets_app.curation.rows import Problem, Record

SEEN_CHARACTERS = 2000
DEEPEST = 64
_ODD_LETTER = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower()} at character {error.pos + 1}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)


def _checked(text: str, value: object) -> object:
    """Refuse what is nested too deeply to be walked, and mend what JSON can spell but text cannot hold."""
    if text.count("[") + text.count("{") > DEEPEST:
        _measure(value, DEEPEST)
    return mended(value) if _ODD_LETTER.search(text) else value


def _measure(value: object, left: int) -> None:
    if left == 0:
        raise RecursionError
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _measure(item, left - 1)


def mended(value: object) -> object:
    """The value with every half character (lone surrogate) and zero byte as the replacement character."""
    if isinstance(value, str):
        whole = value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    return value


def parse_record(text: str, *, row: int, line: int) -> Record | Problem:
    """Parse ``text``, record ``row`` of its file, which starts at ``line``."""
    seen = text[:SEEN_CHARACTERS]
    try:
        value = _checked(text, json.loads(text, parse_constant=_refuse_constant))
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
