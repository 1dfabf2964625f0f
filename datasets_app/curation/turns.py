"""Records that are no whole conversations, joined or divided into such, whatever their layout. Knows no file.

Turns wait on disk, for those of one conversation may stand anywhere; of each conversation a few bytes are in memory.
"""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import blake2b
from itertools import groupby, islice

from datasets_app.curation.columnnames import ROLES
from datasets_app.curation.errors import Refusal
from datasets_app.curation.keys import key_of
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.moments import Moments, in_order
from datasets_app.curation.rows import Message, Problem, Record
from datasets_app.curation.squad import expand_squad
from datasets_app.curation.threads.nested import expand_nested
from datasets_app.curation.threads.posts import Post, conversations
from datasets_app.curation.threads.tables import join_threads

Records = Iterator[Record | Problem]
LARGEST = 20_000  # turns; a conversation of more is cut into several, which stay in one split
JOINED = frozenset({"turns", "thread", "nested", "squad"})  # layouts whose records are not the rows of a version


def joined(records: Records, mapping: ColumnMap) -> tuple[Records, ColumnMap]:
    """Records of one conversation each, and the mapping that reads them."""
    if mapping.layout == "squad":
        asked = replace(mapping, layout="question_answer", prompt="question", completion="answer", context="context")
        return expand_squad(records), asked
    if mapping.layout not in JOINED:
        return records, mapping
    whole = replace(mapping, layout="messages", messages="messages", prompt=None, speaker=None)
    if mapping.layout == "turns":
        groups = dict.fromkeys([*mapping.group, *filter(None, [mapping.conversation])])
        return join_turns(records, mapping), replace(whole, group=tuple(groups))
    if mapping.layout == "thread":
        return join_threads(records, mapping), whole
    return expand_nested(records), whole


def join_turns(records: Iterator[Record | Problem], mapping: ColumnMap) -> Iterator[Record | Problem]:
    """Yield problems as they come, then one Record for each conversation, in the order of their first rows, its turns in
    theirs. Rows that name no conversation belong to their neighbours that name none. Where the file breaks off, Refusal
    is raised after what was read."""
    try:
        yield from _by_conversation(records, mapping)
    except sqlite3.OperationalError as error:  # its temporary file is all that can fail here
        raise OSError(errno.ENOSPC, f"turns cannot be put down: {error}") from error


def _by_conversation(records: Iterator[Record | Problem], mapping: ColumnMap) -> Iterator[Record | Problem]:
    with closing(sqlite3.connect("")) as disk:  # a nameless database is a file that goes with the connection
        disk.execute(
            "CREATE TABLE turn (place INTEGER PRIMARY KEY, talk INTEGER, row INTEGER, line INTEGER, body TEXT)"
        )
        numbers, moments, broken_off = _Numbers(), Moments(), None
        try:
            for record in records:
                if isinstance(record, Problem):
                    yield record
                    continue
                moments.see(record.values.get(mapping.turn or ""))
                talk = numbers.of(key_of(record.values.get(mapping.conversation or "")))
                body = json.dumps(dict(record.values), default=str)
                values = (talk, record.row, record.line, body)
                disk.execute("INSERT INTO turn (talk, row, line, body) VALUES (?, ?, ?, ?)", values)
        except Refusal as refusal:
            broken_off = refusal
        disk.execute("CREATE INDEX by_talk ON turn (talk, place)")
        found = disk.execute("SELECT talk, row, line, body FROM turn ORDER BY talk, place")
        for _talk, turns in groupby(found, key=lambda turn: turn[0]):
            while part := [Record(row, line, json.loads(body)) for _, row, line, body in islice(turns, LARGEST)]:
                yield _joined(part, mapping, moments)
        if broken_off is not None:
            raise broken_off


class _Numbers:
    """Conversations numbered in the order in which they begin."""

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}
        self._count = 0
        self._nameless: int | None = None

    def of(self, key: str) -> int:
        """The number of the conversation of the next row; an empty key goes on with the row before, if its key is empty."""
        if not key:
            if self._nameless is None:
                self._nameless, self._count = self._count, self._count + 1
            return self._nameless
        self._nameless = None
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if digest not in self._known:
            self._known[digest], self._count = self._count, self._count + 1
        return self._known[digest]


def _joined(run: list[Record], mapping: ColumnMap, moments: Moments) -> Record:
    ordered = in_order(run, [moments.of(record.values.get(mapping.turn)) for record in run]) if mapping.turn else run
    said = [
        (str(record.values.get(mapping.speaker or "")), record.values.get(mapping.prompt or "")) for record in ordered
    ]
    messages: list[Message] | list[dict[str, object]] = [{"role": name, "content": text} for name, text in said]
    if not any(name.strip().lower() in ROLES for name, _text in said):  # people by their names: who began is the user
        posts = [Post(str(place), None, name, str(text or "")) for place, (name, text) in enumerate(said)]
        messages = next(conversations(posts, in_a_row=True))
    first = run[0]
    sources = tuple(record.row for record in ordered)
    return Record(first.row, first.line, {**first.values, "messages": messages}, sources)
