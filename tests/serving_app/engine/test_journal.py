"""The journal: readable after any end, and complete."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from serving_app.engine import journal as journal_module
from serving_app.engine.journal import Journal, JournalBusyError
from serving_app.engine.journal_files import read_rows, segments


def record(journal: Journal, attempt: str, count: int, reason: str | None) -> None:
    journal.append(
        attempt_id=attempt,
        model="m",
        prompt_tokens=3,
        cached_tokens=1,
        completion_tokens=count,
        finish_reason=reason,
    )


def outline(journal: Journal, after: int = 0) -> list[tuple[int, str, int, str | None]]:
    return [(row.seq, row.attempt_id, row.completion_tokens, row.finish_reason) for row in journal.rows_after(after)]


def newest(folder: Path) -> Path:
    return max(path for path in folder.glob("usage-*.jsonl") if path.stat().st_size)


def test_an_open_attempt_of_the_life_before_is_closed_as_an_error_with_its_last_count(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    record(first, "done", 5, "stop")
    record(first, "open", 16, None)
    first.close()
    second = Journal(tmp_path)
    assert outline(second) == [(1, "done", 5, "stop"), (2, "open", 16, None), (3, "open", 16, "error")]
    second.close()
    third = Journal(tmp_path)
    assert outline(third, after=3) == []
    third.close()


def test_a_half_written_last_line_is_cut_off_and_numbers_go_on(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    record(first, "a", 1, None)
    record(first, "a", 2, None)
    first.close()
    torn = newest(tmp_path)
    torn.write_bytes(torn.read_bytes()[:-20])
    second = Journal(tmp_path)
    assert outline(second) == [(1, "a", 1, None), (2, "a", 1, "error")]
    second.close()


def test_a_kill_between_mending_and_starting_loses_no_open_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Journal(tmp_path)
    record(first, "a", 1, None)
    record(first, "b", 2, None)
    first.close()
    with monkeypatch.context() as killed:

        def dies(self: Journal) -> None:
            raise KeyboardInterrupt

        killed.setattr(Journal, "_start_segment", dies)
        with pytest.raises(KeyboardInterrupt):
            Journal(tmp_path)
    _drop_locks(tmp_path)
    again = Journal(tmp_path)
    closed = [row for row in outline(again) if row[3] == "error"]
    assert [(attempt, count) for _, attempt, count, _ in closed] == [("a", 1), ("b", 2)]
    again.close()


def _drop_locks(folder: Path) -> None:
    """Close this process's descriptors of the lock, as the kernel does for a killed process."""
    for entry in Path("/proc/self/fd").iterdir():
        if entry.is_symlink() and entry.readlink() == folder / "lock":
            os.close(int(entry.name))


def test_rows_are_read_across_segments_and_beyond_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "ROWS_PER_SEGMENT", 10)
    monkeypatch.setattr(journal_module, "ROWS_IN_MEMORY", 5)
    monkeypatch.setattr(journal_module, "ROWS_PER_READ", 12)
    journal = Journal(tmp_path)
    for number in range(1, 34):
        record(journal, f"a{number}", number, "stop")
    assert len(segments(tmp_path)) >= 4
    seen: list[int] = []
    while rows := journal.rows_after(seen[-1] if seen else 0):
        assert len(rows) <= 12
        seen += [row.seq for row in rows]
    assert seen == list(range(1, 34))
    journal.close()


def test_two_engines_cannot_write_one_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(JournalBusyError, match="Another engine"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_a_disk_that_refuses_is_a_fault_and_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(journal_module.os, "write", full)
        record(journal, "a", 1, None)
    assert journal.fault is not None
    assert "No space left" in journal.fault
    journal.close()


def test_what_a_full_disk_refused_is_written_in_its_order_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    write, room = os.write, [30]

    def filling(file: int, line: bytes) -> int:
        taken = line[: room[0]]
        if not taken:
            raise OSError(28, "No space left on device")
        room[0] -= len(taken)
        return write(file, taken)

    with monkeypatch.context() as broken:
        broken.setattr(journal_module.os, "write", filling)
        record(journal, "a", 1, None)
        record(journal, "a", 2, None)
        journal.mend()
        assert "No space left" in str(journal.fault)
    journal.mend()
    assert journal.fault is None
    record(journal, "a", 3, "stop")
    journal.close()
    rows = [row for each in segments(tmp_path) for row in read_rows(each.path)]
    assert [(row.attempt_id, row.completion_tokens) for row in rows] == [("a", 1), ("a", 2), ("a", 3)]
    assert [row.seq for row in rows] == sorted(row.seq for row in rows)


def test_writers_in_several_threads_get_numbers_without_gaps(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    threads = [
        threading.Thread(target=lambda name=name: [record(journal, name, at, "stop") for at in range(50)])
        for name in "abc"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.seq for row in journal.rows_after(0)] == list(range(1, 151))
    journal.close()
