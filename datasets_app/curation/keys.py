"""Ids of records as they are compared. Knows no file."""

from __future__ import annotations

import re

_KIND = re.compile(r"^t\d_(?=\w)")


def key_of(value: object) -> str:
    """An id as it is compared: numbers as texts, without the kind that some exports put in front (``t1_``)."""
    if isinstance(value, float) and value == int(value):
        value = int(value)
    text = "" if value is None else str(value).strip()
    if text.lower() in ("nan", "none", "null"):
        return ""
    return _KIND.sub("", text).strip("<>")
