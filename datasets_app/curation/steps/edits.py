"""The step `edits`: what people corrected or left out by hand, by file and row. Comes before every other step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from datasets_app.curation.erasure import Erased, texts_in
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.rows import Message, Problem, Record, Rejection
from datasets_app.curation.steps import Candidate, Known, Outcome, RowStep

ERASED = Rejection("erased", "Somebody asked that what this row says be erased.")
WITHOUT = "It was left out for this reason; somebody asked that what it says be erased."
EXCLUDED = Rejection("excluded", "Somebody left this row out by hand.")


def erased(why: Rejection) -> Rejection:
    """Why a row is left out of which nothing may be kept: the reason, and a sentence that quotes nothing."""
    return why if why.reason == ERASED.reason else replace(why, detail=WITHOUT)


class Edits(RowStep):
    """`rows`: objects with `file` and `row`, and `exclude` or `erase` true or the `messages` as they shall be.

    `erased`: phrases by their digest and records by their number in the file. A row goes that came from such a record,
    says such a phrase, or has it in one of its columns; nothing of it is kept.
    """

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        options = known.surveys.get("edits") or options  # with the numbers that records have now
        self.erased = Erased(options["erased"], Keys(known.secret))
        self.by_place = {(each["file"], each["row"]): each for each in options["rows"]}

    def hides(self, file: str, at: Record | Problem, text: str) -> bool:
        """Whether nothing of this row may be kept, whichever step leaves it out; `text` is what it says."""
        if self.by_place.get((file, at.row), {}).get("erase"):
            return True
        if any((file, number) in self.erased.records for number in at.records):
            return True
        columns = texts_in(at.values) if isinstance(at, Record) and self.erased.by_words else ()
        return any(map(self.erased.is_in, (text, *columns)))

    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        return [self._edited(row, counts) for row in rows]

    def _edited(self, row: Candidate, counts: Counter[str]) -> Outcome:
        edit = self.by_place.get((row.file, row.record.row), {})
        if self.hides(row.file, row.record, row.conversation.text()):
            return ERASED
        if edit.get("exclude"):
            return EXCLUDED
        if "messages" not in edit:
            return row.conversation
        counts["replaced"] += 1
        messages = tuple(Message(role=str(each["role"]), content=str(each["content"])) for each in edit["messages"])
        changed = replace(row.conversation, messages=messages)
        return ERASED if self.erased.is_in(changed.text()) else changed
