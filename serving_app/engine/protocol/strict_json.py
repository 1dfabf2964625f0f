"""JSON as RFC 8259 has it: UTF-8, no NaN, no half of a surrogate pair; and not nested without end. Knows no meanings.

Python's own reader is kinder: it guesses encodings, takes NaN, and lets through text that nothing behind it can encode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

DEEPEST = 100
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read(raw: bytes) -> Any:
    """The value that `raw` spells. Errors: ValueError with a sentence, RecursionError for endless nesting."""
    try:
        body = json.loads(raw.decode(), parse_constant=_refuse)
        if _SURROGATE.search(raw):
            json.dumps(body, ensure_ascii=False).encode()
        if raw.count(b"[") + raw.count(b"{") > DEEPEST:
            _check_depth(body)
    except UnicodeEncodeError as error:
        raise ValueError("a text holds half of a surrogate pair") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is no UTF-8") from error
    return body


def _check_depth(body: Any) -> None:
    """Python reads deeper nesting than it can write again."""
    level, depth = [body], 0
    while level := [each for one in level for each in _inside(one) if isinstance(each, dict | list)]:
        depth += 1
        if depth >= DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
