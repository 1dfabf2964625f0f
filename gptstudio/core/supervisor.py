"""Several processes under one command: each restarted when it dies, all stopped together, none left behind.

No shell in between; every process leads its own group and dies with this one (see `child.die_with_parent`).
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gptstudio.core import child

logger = logging.getLogger(__name__)
STEADY_SECONDS = 30.0
LONGEST_PAUSE = 10.0


@dataclass(slots=True)
class Program:
    """One long-running process of the studio."""

    name: str
    argv: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    is_studio: bool = True  # needs the studio's own settings and secrets; an engine does not
    grace_seconds: float = 20.0
    running: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    not_before: float = 0.0


class Supervisor:
    """Keeps programs alive until told to stop."""

    def __init__(self, programs: Sequence[Program], *, cwd: Path) -> None:
        self.programs = list(programs)
        self.cwd = cwd
        self.stopping = False

    def stop(self, *_signal: object) -> None:
        self.stopping = True

    def run(self, *, on_tick: Callable[[], None] = lambda: None) -> None:
        """Start everything and stay until SIGINT or SIGTERM; then stop everything."""
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGTERM, self.stop)
        try:
            while not self.stopping:
                for program in self.programs:
                    self._keep(program)
                on_tick()
                time.sleep(0.2)
        finally:
            self._stop_all()

    def _keep(self, program: Program) -> None:
        if program.running is None:
            if time.monotonic() >= program.not_before:
                self._start(program)
            return
        code = program.running.poll()
        if code is None:
            return
        child.signal_group(program.running, signal.SIGKILL)  # what it may have left in its group
        steady = time.monotonic() - program.started_at > STEADY_SECONDS
        program.failures = 1 if steady else program.failures + 1
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (program.failures - 1))
        logger.warning("%s ended with code %s; starting it again in %.1f s", program.name, code, pause)
        program.running, program.not_before = None, time.monotonic() + pause

    def _start(self, program: Program) -> None:
        program.running = subprocess.Popen(
            list(program.argv),
            cwd=self.cwd,
            env={**(os.environ if program.is_studio else child.environment()), **program.env},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=child.die_with_parent,
        )
        program.started_at = time.monotonic()

    def _stop_all(self) -> None:
        """Each program ends in its own way what it began; what is still there after its grace goes by force."""
        alive = [(program, program.running) for program in self.programs if program.running is not None]
        for _, running in alive:
            running.terminate()
        told_at = time.monotonic()
        for program, running in alive:
            try:
                running.wait(timeout=max(0.1, told_at + program.grace_seconds - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("%s did not stop in %.0f s and was killed", program.name, program.grace_seconds)
            child.signal_group(running, signal.SIGKILL)
            running.wait()
