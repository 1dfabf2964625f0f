"""The event log goes on where it stopped, whatever stopped it."""

from __future__ import annotations

import fcntl
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training_app.engine import command
from training_app.engine.events import EventLog


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_sequence_goes_on_in_the_next_attempt(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for attempt in (1, 2):
        log = EventLog(path, attempt=attempt, mirror=io.StringIO())
        log.write("metric", step=1)
        log.notice("hello")
        log.close()
    assert [(event["attempt"], event["seq"]) for event in lines(path)] == [(1, 1), (1, 2), (2, 3), (2, 4)]


def test_a_line_cut_in_half_by_a_kill_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path, attempt=1, mirror=io.StringIO())
    log.write("metric", step=1)
    log.close()
    with path.open("a") as file:
        file.write('{"v":1,"seq":2,"kin')
    log = EventLog(path, attempt=1, mirror=io.StringIO())
    log.write("metric", step=2)
    log.close()
    assert [event["seq"] for event in lines(path)] == [1, 2]


def test_what_is_no_number_becomes_null_and_the_mirror_says_the_same(tmp_path: Path) -> None:
    mirror = io.StringIO()
    log = EventLog(tmp_path / "events.jsonl", attempt=1, mirror=mirror)
    log.write("metric", loss=float("nan"), text="naïve")
    log.close()
    assert lines(tmp_path / "events.jsonl")[0]["data"] == {"loss": None, "text": "naïve"}
    assert mirror.getvalue() == (tmp_path / "events.jsonl").read_text(encoding="utf-8")


def test_a_run_that_another_engine_holds_is_refused_and_its_events_stay_untouched(
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "LOCK_PATIENCE_SECONDS", 0.0)
    spec = write_run("held", train_content)
    with (spec.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, events = run_engine("train", spec)
    assert code == 1
    assert events[0]["data"]["code"] == "run_locked"
    assert not (spec.parent / "events.jsonl").exists()
