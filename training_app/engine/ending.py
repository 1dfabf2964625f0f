"""However a command ends: its last event and its exit code. Knows no command.

With several processes the leading one says what ended the run, also where that was another's. A process that waits for one
that is gone says nothing of its own: whoever went first said why, or was killed, which `torchrun` reports.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from training_app.engine.errors import EngineError, RunStopped, is_lost_company, is_out_of_memory
from training_app.engine.events import EventLog
from training_app.engine.ranks import Ranks
from training_app.engine.stopping import StopRequest

FINISHED, FAILED, STOPPED, OUT_OF_MEMORY = 0, 1, 3, 4
# `torchrun` ends all as soon as one goes, and blames the first. Who waits for one that is gone therefore goes a little later,
# and who has something to say once the leading one, which may still be starting, has heard it.
PATIENCE_SECONDS = 5.0
HEARING_SECONDS = 30.0


class Ending:
    """Turns however the work ends into its last event and an exit code; no exception but an interrupt gets past it."""

    def __init__(self, events: EventLog, stop: StopRequest, ranks: Ranks, run: Path) -> None:
        self.exit_code = FINISHED
        self._events = events
        self._stop = stop
        self._ranks = ranks
        self._run = run
        self._voice = threading.Lock()  # of the two threads that may end this process, one speaks

    def __enter__(self) -> None:
        """Listen for what ends the others, where there are any."""
        if self._ranks.leads and self._ranks.size > 1:
            threading.Thread(target=self._listen, daemon=True).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._voice.acquire()  # for good: whatever comes after this is too late
        if error is None or not isinstance(error, Exception):
            return False
        self.exit_code = self._conclude(error)
        return True

    def _listen(self) -> None:
        """On a GPU a process can wait for one that is gone where no error reaches it: then this ends it."""
        while True:
            time.sleep(1.0)
            with self._voice:
                if found := self._ranks.told(self._run):
                    os._exit(self._say(*found))

    def _conclude(self, error: Exception) -> int:
        if self._ranks.leads and (found := self._ranks.told(self._run)):
            return self._say(*found)
        if self._ranks.size > 1 and is_lost_company(error):
            self._events.notice(
                "Another process of this run ended, and this one with it; the run can go on from its last checkpoint.",
                level="warning",
            )
            self._stop.wait(PATIENCE_SECONDS)
            return FAILED
        if isinstance(error, RunStopped):
            self._events.notice(str(error))
            return STOPPED
        if is_out_of_memory(error):
            return self._say(
                "out_of_memory",
                {
                    "message": "The run needed more memory than it may use.",
                    "fix": "Halve the batch size and double gradient accumulation, shorten the longest row, "
                    "or train an adapter.",
                },
            )
        failure = error if isinstance(error, EngineError) else _unforeseen(error)
        data = {"code": failure.code, "message": failure.message, "fix": failure.fix}
        return self._say("failed", {**data, **failure.details})

    def _say(self, kind: str, data: dict[str, Any]) -> int:
        self._events.write(kind, **data)
        deadline = time.monotonic() + HEARING_SECONDS
        while not self._ranks.is_heard(self._run) and not self._stop.requested and time.monotonic() < deadline:
            time.sleep(0.1)
        return OUT_OF_MEMORY if kind == "out_of_memory" else FAILED


def _unforeseen(error: Exception) -> EngineError:
    """A sentence for people; the traceback goes to the log, for whoever runs the studio."""
    logging.getLogger(__name__).error("The engine broke off.", exc_info=error)
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    fix = "Start the job again; if it fails the same way, report this message."
    if isinstance(error, OSError):
        fix = "Free disk space, or give the studio write access to its folder."
    return EngineError("unforeseen", f"The engine broke off: {first_line}", fix=fix)
