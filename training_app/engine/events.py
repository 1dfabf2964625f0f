"""The event log of a run: appended to `events.jsonl`, mirrored to a stream. Knows no meaning."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

SCHEMA_VERSION = 1
# Losing one of these in a power cut would lose a decision; a lost metric or progress line only thins a curve.
DURABLE_KINDS = frozenset({"started", "plan", "checkpoint", "notice", "out_of_memory", "saved", "finished", "failed"})


class EventLog:
    """Appends events with a sequence number that goes on where an earlier attempt of the same run stopped."""

    def __init__(self, path: Path, *, attempt: int, mirror: IO[str]) -> None:
        self._attempt = attempt
        self._mirror = mirror
        self._seq = _repair_and_find_last_seq(path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, kind: str, **data: Any) -> None:
        """Append one event and flush it; durable kinds also reach the disk before this returns."""
        self._seq += 1
        line = event_line(kind, data, seq=self._seq, attempt=self._attempt)
        self._file.write(line)
        self._file.flush()
        if kind in DURABLE_KINDS:
            os.fsync(self._file.fileno())
        self._mirror.write(line)
        self._mirror.flush()

    def notice(self, message: str, *, level: str = "info") -> None:
        """Tell people something they should know that is no failure; `level` is info or warning."""
        self.write("notice", level=level, message=message)

    def close(self) -> None:
        """Close the file; the mirror belongs to the caller."""
        self._file.close()


def event_line(kind: str, data: dict[str, Any], *, seq: int, attempt: int) -> str:
    """One event as a line of JSON with its newline. Numbers that JSON cannot hold (NaN, infinities) become null."""
    event = {
        "v": SCHEMA_VERSION,
        "seq": seq,
        "attempt": attempt,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "kind": kind,
        "data": {key: _finite(value) for key, value in data.items()},
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def _repair_and_find_last_seq(path: Path) -> int:
    """Drop a last line that a kill cut in half, and return the highest sequence number of the whole lines."""
    if not path.exists():
        return 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) != len(content):
        os.truncate(path, len(whole))
    last = 0
    for line in whole.splitlines():
        try:
            last = max(last, int(json.loads(line)["seq"]))
        except (ValueError, KeyError, TypeError):
            continue  # a foreign line is not ours to judge; the next number only has to be above our own
    return last
