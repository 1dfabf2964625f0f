"""One command on one spec: lock, events, exit code. Knows no environment variable and no training."""

from __future__ import annotations

import fcntl
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from training_app.engine.ending import FAILED, Ending
from training_app.engine.errors import EngineError
from training_app.engine.events import EventLog, event_line
from training_app.engine.ranks import ALONE, Follower, Ranks
from training_app.engine.spec import (
    parse_evaluate,
    parse_export,
    parse_rehearsal,
    parse_safety,
    parse_train,
    read_spec_file,
)
from training_app.engine.stopping import StopRequest

IN_COMPANY = ("train", "estimate")
# A killed engine's lock goes with its last thread, which can outlive the signal by a moment.
LOCK_PATIENCE_SECONDS = 10.0


def execute(command: str, spec_path: Path, mirror: IO[str], stop: StopRequest, ranks: Ranks = ALONE) -> int:
    """Run a command and return its exit code: 0 finished, 1 failed, 3 stopped after saving, 4 out of memory.

    Of several processes the leading one holds the lock; the others write nothing before they have met it.
    """
    run = spec_path.resolve().parent
    if not run.is_dir():
        return _fail_unlogged(
            EngineError("spec_unreadable", f"There is no folder {run.name}.", fix="Check the path."), mirror
        )
    try:
        if not ranks.leads:
            return _logged(command, spec_path, run, mirror, stop, ranks)
        with _lock(run / "lock"):
            return _logged(command, spec_path, run, mirror, stop, ranks)
    except EngineError as error:
        return _fail_unlogged(error, mirror)


def _logged(command: str, spec_path: Path, run: Path, mirror: IO[str], stop: StopRequest, ranks: Ranks) -> int:
    content: dict[str, Any] = {}
    unread: EngineError | None = None
    try:
        content = read_spec_file(spec_path)
    except EngineError as error:
        unread = error
    events = _events(content, run, mirror, ranks)
    ending = Ending(events, stop, ranks, run)
    with closing(events), ending:
        if unread is not None:
            raise unread
        _work(command, content, run, events, stop, ranks)
    return ending.exit_code


def _events(content: dict[str, Any], run: Path, mirror: IO[str], ranks: Ranks) -> EventLog:
    if not ranks.leads:
        return Follower(ranks, run)
    attempt = content.get("attempt")
    return EventLog(run / "events.jsonl", attempt=attempt if isinstance(attempt, int) else 0, mirror=mirror)


def _work(command: str, content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest, ranks: Ranks) -> None:
    """Check the spec before the slow imports, so that a wrong one is refused at once."""
    if ranks.size > 1 and command not in IN_COMPANY:
        raise EngineError("one_process", f"`{command}` is the work of one process.", fix="Start it without torchrun.")
    steps: dict[str, Callable[[], None]] = {
        "train": lambda: _train(content, run, events, stop, ranks),
        "evaluate": lambda: _evaluate(content, run, events, stop),
        "safety": lambda: _safety(content, run, events, stop),
        "inspect": lambda: _inspect(content, run, events, stop),
        "estimate": lambda: _estimate(content, run, events, stop, ranks),
        "export": lambda: _export(content, run, events, stop),
    }
    steps[command]()


def _train(content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest, ranks: Ranks) -> None:
    spec = parse_train(content, run)
    with _libraries():
        from training_app.engine.train import train

    train(spec, events, stop, ranks)


def _evaluate(content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest) -> None:
    spec = parse_evaluate(content, run)
    with _libraries():
        from training_app.engine.evaluate import evaluate

    evaluate(spec, events, stop)


def _safety(content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest) -> None:
    spec = parse_safety(content, run)
    with _libraries():
        from training_app.engine.safety import check_safety

    check_safety(spec, events, stop)


def _inspect(content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest) -> None:
    spec = parse_rehearsal(content, run, kind="inspect")
    with _libraries():
        from training_app.engine.inspection import inspect_run

    inspect_run(spec, events, stop)


def _estimate(content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest, ranks: Ranks) -> None:
    spec = parse_rehearsal(content, run, kind="estimate")
    with _libraries():
        from training_app.engine.estimate import estimate_run

    estimate_run(spec, events, stop, ranks)


def _export(content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest) -> None:
    spec = parse_export(content, run)
    with _libraries():
        from training_app.engine.exporting import export_model

    export_model(spec, events, stop)


@contextmanager
def _libraries() -> Iterator[None]:
    """While they load, nothing is garbage, and they stay: to look for some among them takes a fifth of the time."""
    if "torch" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the run's lock; EngineError `run_locked` when another engine keeps it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
    try:
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise EngineError(
                    "run_locked",
                    f"Another engine is working in the run folder {path.parent.name}.",
                    fix="Wait until it ends, or cancel it.",
                )
            time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fail_unlogged(error: EngineError, mirror: IO[str]) -> int:
    """Without the lock the event file belongs to someone else: say it on the mirror only."""
    data = {"code": error.code, "message": error.message, "fix": error.fix}
    mirror.write(event_line("failed", data, seq=0, attempt=0))
    mirror.flush()
    return FAILED
