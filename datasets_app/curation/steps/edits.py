"""The step `edits`: what people corrected or left out by hand, by file and row. Comes before every other step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from datasets_app.curation.rows import Message, Rejection
from datasets_app.curation.steps import Candidate, Known, Outcome, RowStep

EXCLUDED = Rejection("excluded", "Somebody left this row out by hand.")


class Edits(RowStep):
    """`rows`: objects with `file` and `row`, and either `exclude` true or the `messages` as they shall be."""

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        super().__init__(options, known)
        self.by_place = {(each["file"], each["row"]): each for each in options["rows"]}

    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        return [self._edited(row, counts) for row in rows]

    def _edited(self, row: Candidate, counts: Counter[str]) -> Outcome:
        edit = self.by_place.get((row.file, row.record.row))
        if edit is None:
            return row.conversation
        if edit.get("exclude"):
            return EXCLUDED
        counts["replaced"] += 1
        messages = (Message(role=str(each["role"]), content=str(each["content"])) for each in edit["messages"])
        return replace(row.conversation, messages=tuple(messages))
