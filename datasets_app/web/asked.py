"""What a person asks of a version's rows, read from the address. Anything odd counts as not asked."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from datasets_app.contents.rows import SORTS, SPLITS, Wanted
from datasets_app.models import EditAction

SORT_NAMES = (
    ("place", "As in the files"),
    ("longest", "Longest first"),
    ("shortest", "Shortest first"),
    ("copies", "Most near-copies first"),
)
STATES = (("edited", "Edited"), ("excluded", "To be left out"), ("flagged", "Flagged"))
NAMES = ("q", "split", "label", "file", "mark", "group", "cluster", "least", "most", "copies", "state")


def number(text: str, *, most: int = 10**12) -> int | None:
    """A whole number from 0, or None."""
    return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def wanted_of(query: QueryDict, edits: dict[tuple[str, int], Any]) -> Wanted:
    """The rows that the address asks for; `edits` are those that wait, by place."""
    split = query.get("split", "")
    return Wanted(
        splits=[split] if split in SPLITS else SPLITS,
        text=query.get("q", "").strip()[:500],
        label=query.get("label", ""),
        file=query.get("file", ""),
        mark=query.get("mark", ""),
        group=query.get("group", ""),
        cluster=number(query.get("cluster", "")),
        least=number(query.get("least", "")),
        most=number(query.get("most", "")),
        near_copies=bool(query.get("copies")),
        places=_places(query.get("state", ""), edits),
    )


def _places(state: str, edits: dict[tuple[str, int], Any]) -> list[tuple[str, int]] | None:
    if state == "flagged":
        return [place for place, edit in edits.items() if edit.is_flagged]
    action = {"edited": EditAction.REPLACE, "excluded": EditAction.EXCLUDE}.get(state)
    return [place for place, edit in edits.items() if edit.action == action] if action else None


def sort_of(query: QueryDict) -> str:
    """A known sort, else the order of the files."""
    sort = query.get("sort", "place")
    return sort if sort in SORTS else "place"
