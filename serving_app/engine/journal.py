"""The durable usage journal: what every attempt has cost so far, readable after any crash.

Append-only JSON lines. A row is handed to the operating system when it is appended, so it survives kill -9 of this
process; closing rows are also flushed to the disk, in batches and by a thread of their own, so they survive the
machine. At start, attempts that the life before left open get a closing row with reason `error` and their last counts.
Knows no HTTP and no models.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from serving_app.engine.journal_files import JournalRow, look_back, read_rows, segment_path, segments

ROWS_PER_SEGMENT = 10_000
ROWS_IN_MEMORY = 4_096
ROWS_PER_READ = 1_000


class JournalBusyError(Exception):
    """Another running engine writes into this folder."""


class Journal:
    """Writer and reader of one journal folder. Safe from any thread."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._guard = _take_lock(directory)
        self._lock = threading.Lock()
        self._recent: deque[JournalRow] = deque(maxlen=ROWS_IN_MEMORY)
        self._refused: deque[JournalRow] = deque()  # in order: what follows a refused row waits behind it
        self._due = threading.Event()
        self._closing = False
        self.fault: str | None = None
        past = look_back(directory)
        self._life, self._seq = past.life, past.last
        self._file = self._open_segment(past.newest)
        self._flusher = threading.Thread(target=self._flush_when_due, name="journal-flush", daemon=True)
        self._flusher.start()
        self._begin_life(past.unfinished)

    def _begin_life(self, unfinished: tuple[JournalRow, ...]) -> None:
        """Close what the life before left open, in its own file: a kill in between then only repeats this."""
        for row in unfinished:
            self.append(
                attempt_id=row.attempt_id,
                model=row.model,
                prompt_tokens=row.prompt_tokens,
                cached_tokens=row.cached_tokens,
                completion_tokens=row.completion_tokens,
                finish_reason="error",
            )
        with self._lock:
            self._life += 1
            self._start_segment()

    def append(
        self,
        *,
        attempt_id: str,
        model: str,
        prompt_tokens: int,
        cached_tokens: int,
        completion_tokens: int,
        finish_reason: str | None,
    ) -> None:
        """Add a row. A disk that refuses is remembered in `fault`, since running streams must not die of it, and the row
        is written by `mend`."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._seq += 1
            row = JournalRow(
                self._seq, attempt_id, model, prompt_tokens, cached_tokens, completion_tokens, finish_reason, at
            )
            self._refused.append(row)
            if self.fault is None:
                self._write_waiting()
            self._recent.append(row)
        if finish_reason is not None:
            self._due.set()

    def mend(self) -> None:
        """After a fault: write what the disk refused, if it takes something again. Then there is no fault any more."""
        with self._lock:
            try:
                os.write(self._file, b"\n")  # ends a line that was cut short; an empty line is none
                os.fsync(self._file)
            except OSError:
                return
            self.fault = None
            self._write_waiting()

    def _write_waiting(self) -> None:
        try:
            while self._refused:
                self._write(self._refused[0])
                self._refused.popleft()
        except OSError as error:
            self.fault = f"The usage journal in {self._directory} cannot be written: {error.strerror}."

    def rows_after(self, seq: int) -> list[JournalRow]:
        """Up to 1,000 rows that follow `seq`, oldest first. Reads files when memory does not reach back."""
        with self._lock:
            recent = list(self._recent)
        if recent and recent[0].seq <= seq + 1:
            return [row for row in recent if row.seq > seq][:ROWS_PER_READ]
        return self._read_files(seq)

    def close(self) -> None:
        """Flush everything to the disk and let another engine use the folder."""
        self._closing = True
        self._due.set()
        self._flusher.join()
        os.fsync(self._file)
        os.close(self._file)
        os.close(self._guard)

    def _read_files(self, seq: int) -> list[JournalRow]:
        known = segments(self._directory)
        rows: list[JournalRow] = []
        for segment, following in zip(known, [*known[1:], None], strict=True):
            if following is not None and following.first <= seq + 1:
                continue
            for row in read_rows(segment.path):
                if row.seq > seq:
                    rows.append(row)
                    if len(rows) == ROWS_PER_READ:
                        return rows
        return rows

    def _write(self, row: JournalRow) -> None:
        line = row.line()
        written = os.write(self._file, line)
        if written < len(line):
            # A half-written line must not swallow the next one.
            os.write(self._file, b"\n")
            raise OSError(None, "the disk is full")
        if row.seq % ROWS_PER_SEGMENT == 0:
            self._start_segment()

    def _start_segment(self) -> None:
        os.fsync(self._file)
        os.close(self._file)
        self._file = self._open_segment(None)

    def _open_segment(self, path: Path | None) -> int:
        """The given file, or a new one that begins with the next row."""
        path = path or segment_path(self._directory, life=self._life, first=self._seq + 1)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _flush_when_due(self) -> None:
        while not self._closing:
            self._due.wait()
            self._due.clear()
            with self._lock:
                copy = os.dup(self._file)
            try:
                os.fsync(copy)
            except OSError as error:
                self.fault = f"The usage journal in {self._directory} cannot be flushed: {error.strerror}."
            finally:
                os.close(copy)


def _take_lock(directory: Path) -> int:
    """An exclusive lock that the kernel drops with the process, however it ends."""
    guard = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(guard)
        raise JournalBusyError(f"Another engine is writing its usage journal in {directory}.") from error
    return guard
