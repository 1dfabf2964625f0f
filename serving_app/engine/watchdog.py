"""Ends an engine that makes no progress, so that whoever keeps it running starts it again.

A thread that hangs in native code cannot be stopped from within, and one that waits for it would hang, too: the process
leaves at once. At the next start its journal closes what was open.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)
EXIT_STUCK = 70  # EX_SOFTWARE of sysexits.h
# A process that was stopped and goes on looks stuck at the first look, and is not at the next ones.
LOOKS = 3


def start_watchdog(stalled_for: Callable[[], float], *, limit: float) -> None:
    """Watch from a thread of its own; `stalled_for` gives the seconds without progress while there is work."""

    def watch() -> None:
        looks = 0
        while True:
            time.sleep(min(1.0, limit / 4))
            stalled = stalled_for()
            looks = looks + 1 if stalled > limit else 0
            if looks == LOOKS:
                log.critical("no step ended in the last %.0f seconds although there is work; the engine ends", stalled)
                os._exit(EXIT_STUCK)

    threading.Thread(target=watch, name="watchdog", daemon=True).start()
