"""The wish to stop: SIGTERM sets it, the work looks at it where it can stop safely. Knows no training and no files."""

from __future__ import annotations

import signal
import time
from types import FrameType

from training_app.engine.errors import RunStopped


class StopRequest:
    """Whether someone has asked the run to stop."""

    def __init__(self) -> None:
        self.requested = False

    def listen(self) -> None:
        """Let SIGTERM and Ctrl-C ask for a stop; only the main thread of a process may call this."""
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def check(self) -> None:
        """Raise RunStopped when a stop was asked for; for places where nothing needs saving."""
        if self.requested:
            raise RunStopped("Stopped on request; nothing had to be saved.")

    def wait(self, seconds: float) -> None:
        """Until someone asks for a stop, but no longer than this."""
        deadline = time.monotonic() + seconds
        while not self.requested and time.monotonic() < deadline:
            time.sleep(0.05)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.requested = True
