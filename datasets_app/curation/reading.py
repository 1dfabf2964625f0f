"""First pass: files to tidied conversations, personal data hidden, exact copies left out. Knows no splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from datasets_app.curation.dedupe import exact_key
from datasets_app.curation.errors import Refusal
from datasets_app.curation.layouts import ColumnMap, guess_mapping
from datasets_app.curation.ledger import Ledger
from datasets_app.curation.mapping import map_record
from datasets_app.curation.normalize import normalize
from datasets_app.curation.pii.finder import find
from datasets_app.curation.pii.masking import hide, policy_of, veil
from datasets_app.curation.readers.source import Source
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.rows import Conversation, Finding, Message, Problem, Record, Rejection
from datasets_app.curation.turns import joined

EXAMPLES = 12
SAMPLES = 50


@dataclass(slots=True)
class Row:
    """A conversation that came through the first pass, with where it came from."""

    row_id: int
    file: str
    row: int
    line: int | None
    conversation: Conversation

    def stored(self) -> dict[str, Any]:
        """The row as it lies on disk between the passes."""
        return {
            "row_id": self.row_id,
            "file": self.file,
            "row": self.row,
            "line": self.line,
            "messages": list(self.conversation.messages),
            "label": self.conversation.label,
        }


@dataclass(slots=True)
class Tally:
    """What the first pass counts on its way."""

    read: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Reader:
    """Runs the first pass. `seen` holds 16 bytes a distinct row; nothing else grows with the data."""

    def __init__(self, recipe: Recipe, ledger: Ledger) -> None:
        self.recipe, self.ledger, self.tally = recipe, ledger, Tally()
        self.refusals: list[Refusal] = []
        self.seen: set[bytes] = set()
        self.personal = recipe.step("personal_data")
        self.policy = policy_of(self.personal.options if self.personal else {})

    def rows(self, source: Source) -> Iterator[Row]:
        """Rows of one file."""
        samples = [found for found in islice(source.records(), SAMPLES) if isinstance(found, Record)]
        mapping = self._mapping(samples)
        before = self.tally.read
        records, mapping = joined(source.records(), mapping)
        told = {
            "file": source.name,
            "format": source.format,
            "encoding": source.encoding.name,
            "rows": 0,
            "findings": [finding.as_json() for finding in source.findings],
        }
        self.tally.files.append(told)
        for row in self._each(source, records, mapping):
            told["rows"] = self.tally.read - before
            yield row
        told["rows"] = self.tally.read - before

    def refuse(self, name: str, refusal: Refusal) -> None:
        """Note a file that could not be read, or not to its end; what was read of it stays."""
        self.refusals.append(refusal)
        self.tally.notes.append(f"{refusal.sentence} The other files were used.")
        finding = Finding("error", refusal.sentence).as_json()
        for told in self.tally.files:
            if told["file"] == name:
                told["findings"].append(finding)
                return
        self.tally.files.append({"file": name, "format": "unknown", "encoding": "", "rows": 0, "findings": [finding]})

    def _mapping(self, samples: list[Record]) -> ColumnMap:
        """The recipe's mapping where its columns are in this file, else the guess."""
        given = self.recipe.mapping
        names = {name for sample in samples for name in sample.values}
        if given is not None and set(given.columns()) - set(given.group) <= names:
            return given
        return guess_mapping(samples)

    def _drop(self, source: Source, at: Record | Problem, step: str, why: Rejection, text: str) -> None:
        self.ledger.drop(
            file=source.name, row=at.row, line=at.line, step=step, reason=why.reason, detail=why.detail, text=text
        )

    def _each(self, source: Source, records: Iterator[Record | Problem], mapping: ColumnMap) -> Iterator[Row]:
        for at in records:
            self.tally.read += 1
            if isinstance(at, Problem):
                self._drop(source, at, "read", Rejection(at.reason, at.detail), at.text)
                continue
            found = self._map(at, mapping)
            if isinstance(found, Rejection):
                self._drop(source, at, "map", found, " ".join(str(value) for value in at.values.values() if value))
            elif (clean := self._clean(source, at, found)) is not None:
                yield Row(self.tally.read - 1, source.name, at.row, at.line, clean)

    def _map(self, at: Record, mapping: ColumnMap) -> Conversation | Rejection:
        if mapping.layout in ("text", "unknown"):
            return Rejection("no_answer_column", "No column holds an answer to learn. Say which columns to use.")
        return map_record(at, mapping, system_prompt=self.recipe.system_prompt)

    def _clean(self, source: Source, at: Record, found: Conversation) -> Conversation | None:
        messages = list(found.messages)
        if self.recipe.step("normalize"):
            messages = [Message(role=each["role"], content=normalize(each["content"])) for each in messages]
            self.tally.changed["normalize"] += messages != list(found.messages)
        if self.personal:
            hidden = self._hide(source, at, found, messages)
            if hidden is None:
                return None
            messages = hidden
        clean = replace(found, messages=tuple(messages))
        if not messages[-1]["content"].strip() or not any(
            each["content"].strip() for each in messages if each["role"] == "user"
        ):
            why = Rejection("empty", "Nothing is left of the question or the answer once it is tidied.")
            self._drop(source, at, "normalize", why, found.text())
            return None
        if messages != list(found.messages) and len(self.tally.examples) < EXAMPLES:
            self.tally.examples.append(
                {"file": source.name, "row": at.row, "before": self._veiled(found), "after": clean.text()[:600]}
            )
        return None if self._is_copy(source, at, clean) else clean

    def _veiled(self, found: Conversation) -> str:
        """The row as it came, but for the inside of what is personal: reports are kept, personal data is not."""
        text = found.text()[:600]
        return veil(text, find(text))

    def _hide(self, source: Source, at: Record, found: Conversation, messages: list[Message]) -> list[Message] | None:
        only_user = self.personal is not None and self.personal.options["turns"] == "user"
        result, hidden = [], Counter[str]()
        for each in messages:
            if only_user and each["role"] != "user":
                result.append(each)
                continue
            content, counts, drops = hide(each["content"], find(each["content"]), self.policy)
            if drops:
                why = Rejection("personal_data", f"The row holds {drops}, and the recipe drops such rows.")
                self._drop(source, at, "personal_data", why, found.text())
                return None
            hidden += counts
            result.append(Message(role=each["role"], content=content))
        self.tally.hidden += hidden
        self.tally.changed["personal_data"] += bool(hidden)
        return result

    def _is_copy(self, source: Source, at: Record, clean: Conversation) -> bool:
        if not self.recipe.step("exact_duplicates"):
            return False
        key = exact_key(clean.text())
        if key in self.seen:
            why = Rejection("exact_duplicate", "An earlier row says the same, apart from case and signs.")
            self._drop(source, at, "exact_duplicates", why, clean.text())
            return True
        self.seen.add(key)
        return False
