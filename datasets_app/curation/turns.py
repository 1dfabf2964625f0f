"""Records that are no whole conversations, joined or divided into such, whatever their layout. Knows no file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.squad import expand_squad
from datasets_app.curation.threads.nested import expand_nested
from datasets_app.curation.threads.tables import join_threads

Records = Iterator[Record | Problem]


def joined(records: Records, mapping: ColumnMap) -> tuple[Records, ColumnMap]:
    """Records of one conversation each, and the mapping that reads them."""
    if mapping.layout == "squad":
        asked = replace(mapping, layout="question_answer", prompt="question", completion="answer", context="context")
        return expand_squad(records), asked
    if mapping.layout not in ("turns", "thread", "nested"):
        return records, mapping
    whole = replace(mapping, layout="messages", messages="messages", prompt=None, speaker=None)
    if mapping.layout == "turns":
        return join_turns(records, mapping), whole
    if mapping.layout == "thread":
        return join_threads(records, mapping), whole
    return expand_nested(records), whole


def join_turns(records: Iterator[Record | Problem], mapping: ColumnMap) -> Iterator[Record | Problem]:
    """Yield one Record for each run of rows with the same conversation, in turn order; problems pass through."""
    run: list[Record] = []
    current: object = None
    for record in records:
        if isinstance(record, Problem):
            yield record
            continue
        conversation = record.values.get(mapping.conversation or "")
        if run and conversation != current:
            yield _joined(run, mapping)
            run = []
        current = conversation
        run.append(record)
    if run:
        yield _joined(run, mapping)


def _joined(run: list[Record], mapping: ColumnMap) -> Record:
    turn = mapping.turn
    ordered = sorted(run, key=lambda record: _position(record, turn)) if turn else run
    messages = [
        {"role": str(record.values.get(mapping.speaker or "")), "content": record.values.get(mapping.prompt or "")}
        for record in ordered
    ]
    first = run[0]
    return Record(first.row, first.line, {**first.values, "messages": messages})


def _position(record: Record, column: str) -> float:
    """The number of a turn; a turn without a number comes after the numbered ones, in file order."""
    try:
        return float(str(record.values.get(column)))
    except ValueError:
        return float("inf")
