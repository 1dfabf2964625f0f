"""The step `edits`: what people corrected or left out by hand, by file and row. Comes before every other step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from datasets_app.curation.erasure import Erased
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.rows import Message, Rejection
from datasets_app.curation.steps import Candidate, Known, Outcome, RowStep

ERASED = Rejection("erased", "Somebody asked that what this row says be erased.")
EXCLUDED = Rejection("excluded", "Somebody left this row out by hand.")


class Edits(RowStep):
    """`rows`: objects with `file` and `row`, and `exclude` or `erase` true or the `messages` as they shall be.

    `erased`: phrases by their digest; a row that says one of them goes, and nothing of it is kept.
    """

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.erased = Erased(options["erased"], Keys(known.secret))
        self.by_place = {(each["file"], each["row"]): each for each in options["rows"]}

    def hides(self, file: str, row: int, text: str) -> bool:
        """Whether nothing of this row may be kept, whichever step leaves it out."""
        return bool(self.by_place.get((file, row), {}).get("erase")) or (bool(self.erased) and self.erased.is_in(text))

    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        return [self._edited(row, counts) for row in rows]

    def _edited(self, row: Candidate, counts: Counter[str]) -> Outcome:
        edit = self.by_place.get((row.file, row.record.row), {})
        if self.hides(row.file, row.record.row, row.conversation.text()):
            return ERASED
        if edit.get("exclude"):
            return EXCLUDED
        if "messages" not in edit:
            return row.conversation
        counts["replaced"] += 1
        messages = tuple(Message(role=str(each["role"]), content=str(each["content"])) for each in edit["messages"])
        changed = replace(row.conversation, messages=messages)
        return ERASED if self.erased and self.erased.is_in(changed.text()) else changed
