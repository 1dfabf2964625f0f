"""Writes the rows as files in three formats and says, in a manifest, what was planted where."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from gptstudio.overview.demo_data import personal
from gptstudio.overview.demo_data.rows import Row, Shape, build

COLUMNS = ("conversation_id", "customer", "agent_reply", "topic")
TICKETS, CHATS, BRANCH = "tickets.csv", "chats.jsonl", "branch_export.csv"
_DEFECTS = ("exact_duplicate", "near_duplicate", "over_long", "empty_answer", "ragged", "truncated_json")


def _shape(prefix: str, rows: int, counts: tuple[int, ...], *, whole: bool = False) -> Shape:
    return Shape(prefix, rows, whole, dict(zip(_DEFECTS, counts, strict=True)))


SHAPES = {
    TICKETS: _shape("TK", 1650, (75, 95, 18, 10, 12, 0)),
    CHATS: _shape("CH", 900, (35, 50, 10, 6, 0, 9), whole=True),
    BRANCH: _shape("BR", 450, (20, 25, 0, 4, 5, 0)),
}
CANARIES_EACH = {TICKETS: 6, CHATS: 4, BRANCH: 0}


def write_all(out: Path, seed: int) -> dict[str, Any]:
    """Writes the data files and `planted.json` under `out`; returns the manifest. The same seed, the same bytes."""
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    canaries = {name: [personal.canary(rng) for _ in range(count)] for name, count in CANARIES_EACH.items()}
    rows = {name: build(rng, shape, canaries[name]) for name, shape in SHAPES.items()}
    (out / TICKETS).write_bytes(_csv_lines(rng, rows[TICKETS], ",")[0])
    (out / CHATS).write_bytes("".join(_json_line(rng, row) for row in rows[CHATS]).encode())
    branch, in_cp1252 = _csv_lines(rng, rows[BRANCH], ";", broken_encoding=True)
    (out / BRANCH).write_bytes(branch)
    manifest = _manifest(seed, rows, canaries) | {"rows_in_cp1252": [[BRANCH, at] for at in in_cp1252]}
    (out / "planted.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return manifest


def tickets(seed: int, rows: int) -> bytes:
    """So many rows of the tickets alone, with a few of their defects and nothing planted. The same seed, the same bytes."""
    rng = random.Random(seed)
    shape = _shape("TK", rows, (rows // 40, rows // 40, 2, 2, 2, 0))
    return _csv_lines(rng, build(rng, shape, []), ",")[0]


def _csv_lines(
    rng: random.Random, rows: list[Row], delimiter: str, *, broken_encoding: bool = False
) -> tuple[bytes, list[int]]:
    """The file's bytes, and which rows were written as cp1252 while the rest is UTF-8."""
    content = [_csv_line([*COLUMNS], delimiter).encode()]
    in_cp1252 = []
    for at, row in enumerate(rows):
        customer, desk = row.turns[0]
        cells = [row.conversation, customer, desk, row.topic]
        if "ragged" in row.marks:
            cells = cells[:2] if rng.random() < 0.5 else [*cells, "n/a", row.topic]
        old = broken_encoding and rng.random() < 0.5
        if old:
            in_cp1252.append(at)
        content.append(_csv_line(cells, delimiter).encode("cp1252" if old else "utf-8"))
    return b"".join(content), in_cp1252


def _csv_line(cells: list[str], delimiter: str) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _json_line(rng: random.Random, row: Row) -> str:
    messages = [
        {"role": role, "content": content}
        for turn in row.turns
        for role, content in zip(("user", "assistant"), turn, strict=True)
    ]
    record = {"conversation_id": row.conversation, "topic": row.topic, "messages": messages}
    line = json.dumps(record, ensure_ascii=False)
    return (line[: rng.randrange(40, len(line) - 20)] if "truncated_json" in row.marks else line) + "\n"


def _manifest(seed: int, rows: dict[str, list[Row]], canaries: dict[str, list[tuple[str, str, str]]]) -> dict[str, Any]:
    """What a check needs: every planted value by file and 0-based record, every defect, counts of both."""
    placed = [(name, at, row) for name, listed in rows.items() for at, row in enumerate(listed)]
    readable = [(name, at, row) for name, at, row in placed if not row.marks & {"ragged", "truncated_json"}]
    planted = [
        {"file": name, "row": at, "field": "messages" if name == CHATS else "customer", "type": kind, "value": value}
        for name, at, row in readable
        for kind, value in row.planted
    ]
    marks = sorted({mark for _, _, row in placed for mark in row.marks})
    where = {mark: [[name, at] for name, at, row in placed if mark in row.marks] for mark in marks}
    sizes = Counter(row.conversation for _, _, row in placed)
    return {
        "version": 1,
        "seed": seed,
        "files": {name: len(listed) for name, listed in rows.items()},
        "rows": len(placed),
        "defects": {mark: len(listed) for mark, listed in where.items()},
        "topics": dict(Counter(row.topic for _, _, row in placed).most_common()),
        "conversations": {"all": len(sizes), "with_several_rows": sum(size > 1 for size in sizes.values())},
        "personal_data": dict(Counter(entry["type"] for entry in planted).most_common()),
        "planted": planted,
        "canaries": [says for listed in canaries.values() for says, _, _ in listed],
        "canary_secrets": [value for listed in canaries.values() for _, _, value in listed],
        "defect_rows": where,
    }
