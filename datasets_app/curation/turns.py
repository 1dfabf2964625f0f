"""Rows that are single turns, joined into conversations. Holds one conversation in memory; knows no file."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.rows import Problem, Record


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
