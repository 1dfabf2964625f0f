"""One command on one spec: lock, events, exit code. Knows no environment variable and no training."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from training_app.engine.errors import EngineError, RunStopped, is_out_of_memory
from training_app.engine.events import EventLog, event_line
from training_app.engine.spec import parse_evaluate, parse_safety, parse_train, read_spec_file
from training_app.engine.stopping import StopRequest

FINISHED, FAILED, STOPPED, OUT_OF_MEMORY = 0, 1, 3, 4
COMMANDS = ("train", "evaluate", "safety")
# A killed engine's lock goes with its last thread, which can outlive the signal by a moment.
LOCK_PATIENCE_SECONDS = 10.0


def execute(command: str, spec_path: Path, mirror: IO[str], stop: StopRequest) -> int:
    """Run a command and return its exit code: 0 finished, 1 failed, 3 stopped after saving, 4 out of memory."""
    run = spec_path.resolve().parent
    if not run.is_dir():
        return _fail_unlogged(
            EngineError("spec_unreadable", f"There is no folder {run.name}.", fix="Check the path."), mirror
        )
    try:
        with _lock(run / "lock"):
            return _logged(command, spec_path, run, mirror, stop)
    except EngineError as error:
        return _fail_unlogged(error, mirror)


def _logged(command: str, spec_path: Path, run: Path, mirror: IO[str], stop: StopRequest) -> int:
    content: dict[str, Any] = {}
    unread: EngineError | None = None
    try:
        content = read_spec_file(spec_path)
    except EngineError as error:
        unread = error
    attempt = content.get("attempt")
    events = EventLog(run / "events.jsonl", attempt=attempt if isinstance(attempt, int) else 0, mirror=mirror)
    ending = Ending(events)
    with closing(events), ending:
        if unread is not None:
            raise unread
        _work(command, content, run, events, stop)
    return ending.exit_code


class Ending:
    """Turns however the work ends into its last event and an exit code; no exception but an interrupt gets past it."""

    def __init__(self, events: EventLog) -> None:
        self.exit_code = FINISHED
        self._events = events

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        self.exit_code = self._conclude(error)
        return True

    def _conclude(self, error: Exception) -> int:
        if isinstance(error, RunStopped):
            self._events.notice(str(error))
            return STOPPED
        if is_out_of_memory(error):
            self._events.write(
                "out_of_memory",
                message="The run needed more memory than it may use.",
                fix="Halve the batch size and double gradient accumulation, shorten the longest row, "
                "or train an adapter.",
            )
            return OUT_OF_MEMORY
        failure = error if isinstance(error, EngineError) else _unforeseen(error)
        self._events.write("failed", code=failure.code, message=failure.message, fix=failure.fix)
        return FAILED


def _unforeseen(error: Exception) -> EngineError:
    """A sentence for people; the traceback goes to the log, for whoever runs the studio."""
    logging.getLogger(__name__).error("The engine broke off.", exc_info=error)
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    fix = "Start the job again; if it fails the same way, report this message."
    if isinstance(error, OSError):
        fix = "Free disk space, or give the studio write access to its folder."
    return EngineError("unforeseen", f"The engine broke off: {first_line}", fix=fix)


def _work(command: str, content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest) -> None:
    """Check the spec before the slow imports, so that a wrong one is refused at once."""
    steps: dict[str, Callable[[], None]] = {
        "train": lambda: _train(content, run, events, stop),
        "evaluate": lambda: _evaluate(content, run, events, stop),
        "safety": lambda: _safety(content, run, events, stop),
    }
    steps[command]()


def _train(content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest) -> None:
    spec = parse_train(content, run)
    from training_app.engine.train import train

    train(spec, events, stop)


def _evaluate(content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest) -> None:
    spec = parse_evaluate(content, run)
    from training_app.engine.evaluate import evaluate

    evaluate(spec, events, stop)


def _safety(content: dict[str, Any], run: Path, events: EventLog, stop: StopRequest) -> None:
    spec = parse_safety(content, run)
    from training_app.engine.safety import check_safety

    check_safety(spec, events, stop)


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
