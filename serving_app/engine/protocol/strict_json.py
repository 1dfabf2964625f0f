"""JSON as RFC 8259 has it: UTF-8, no NaN, no half of a surrogate pair. Knows no meanings.

Python's own reader is kinder: it guesses encodings, takes NaN, and lets through text that nothing behind it can encode.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read(raw: bytes) -> Any:
    """The value that `raw` spells. Errors: ValueError with a sentence, RecursionError for endless nesting."""
    try:
        body = json.loads(raw.decode(), parse_constant=_refuse)
        if _SURROGATE.search(raw):
            json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text holds half of a surrogate pair") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is no UTF-8") from error
    return body


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
