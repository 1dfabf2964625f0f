"""The journal's files: names, reading, and mending what a killed process left behind. Knows no requests.

One file for each 10,000 rows, named `usage-<life>-<first seq>.jsonl`. A life is one run of the engine, so a restart
needs to look for unfinished attempts only in the files of the life before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = re.compile(r"usage-(\d+)-(\d+)\.jsonl")


@dataclass(frozen=True, slots=True)
class JournalRow:
    """Counts of one attempt at one moment. `finish_reason` is None while it runs; `at` is ISO 8601 in UTC."""

    seq: int
    attempt_id: str
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    finish_reason: str | None
    at: str

    def line(self) -> bytes:
        """The row as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file, by the life that wrote it and the first sequence number in it."""

    first: int
    life: int
    path: Path


def segment_path(directory: Path, *, life: int, first: int) -> Path:
    """Where the segment of this life that begins with row `first` lies."""
    return directory / f"usage-{life:06d}-{first:012d}.jsonl"


def segments(directory: Path) -> list[Segment]:
    """All segments in order of their rows."""
    found = ((NAME.fullmatch(path.name), path) for path in directory.iterdir())
    return sorted(Segment(int(match[2]), int(match[1]), path) for match, path in found if match)


def cut_torn_line(path: Path) -> None:
    """Remove a half-written last line, which a killed process or a full disk leaves."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)


def read_rows(path: Path) -> Iterator[JournalRow]:
    """Rows of one segment; lines that are not whole rows are passed over."""
    with path.open("rb") as file:
        for line in file:
            row = parse_row(line)
            if row is not None:
                yield row


def parse_row(line: bytes) -> JournalRow | None:
    """A row, or None when the line is not a whole one."""
    if not line.endswith(b"\n"):
        return None
    try:
        return JournalRow(**json.loads(line))
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class PastLife:
    """What an earlier life left: its number, its last sequence number, the last row of each open
    attempt, and its newest file."""

    life: int
    last: int
    unfinished: tuple[JournalRow, ...]
    newest: Path | None


def look_back(directory: Path) -> PastLife:
    """Mend the newest segment and find the attempts that its life never closed."""
    known = segments(directory)
    if not known:
        return PastLife(0, 0, (), None)
    life = max(segment.life for segment in known)
    last = max(segment.first for segment in known) - 1
    latest: dict[str, JournalRow] = {}
    for segment in known:
        if segment.life == life:
            cut_torn_line(segment.path)
            for row in read_rows(segment.path):
                latest[row.attempt_id] = row
                last = max(last, row.seq)
    newest = max(segment for segment in known if segment.life == life)
    unfinished = tuple(row for row in latest.values() if row.finish_reason is None)
    return PastLife(life, last, unfinished, newest.path)
