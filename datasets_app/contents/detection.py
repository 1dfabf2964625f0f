"""What was found in an upload, without what its rows say: for who has not opened them."""

from __future__ import annotations

from typing import Any


def without_rows(detection: dict[str, Any]) -> dict[str, Any]:
    """What was found in a file but for what its rows say."""
    encodings = [{**each, "sample": ""} for each in detection.get("encodings", [])]
    parts = {"preview": [], "encodings": encodings}
    return {**detection, **{name: part for name, part in parts.items() if name in detection}}
