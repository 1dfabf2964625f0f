"""The running studio that the demo talks to: found on its port, or started for the time of the demo."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from django.conf import settings

from gptstudio.core import child
from gptstudio.core.errors import Unavailable
from gptstudio.overview.health import home_id

START_SECONDS = 180.0


def health() -> dict[str, Any] | None:
    """What `GET /health` says, or None when nothing answers."""
    try:
        with urllib.request.urlopen(f"{settings.PUBLIC_URL}/health", timeout=5) as answer:  # noqa: S310 - our own address
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        return {"status": "starting", "code": error.code}
    except (OSError, json.JSONDecodeError):
        return None


def is_ready() -> bool:
    """Whether web, worker and engine are all ready."""
    found = health()
    return found is not None and found.get("status") == "ok"


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def choose_ports() -> None:
    """Keep HOST:PORT when they are free or are our own studio; else take others, so that a demo always can run."""
    with socket.socket() as probe:
        probe.settimeout(1)
        taken = probe.connect_ex(("127.0.0.1", settings.PORT)) == 0
    if taken and not _is_ours():
        settings.PORT = free_port()
        settings.PUBLIC_URL = f"http://{settings.HOST}:{settings.PORT}"
    with socket.socket() as probe:
        probe.settimeout(1)
        taken = probe.connect_ex(("127.0.0.1", settings.ENGINE_PORT)) == 0
    if taken and not _is_ours():
        settings.ENGINE_PORT = free_port()


def _is_ours() -> bool:
    found = health()
    return found is not None and found.get("home") == home_id()


class Studio:
    """`with Studio(keep=…):` starts `manage.py run` unless one runs on this home already."""

    def __init__(self, *, keep: bool) -> None:
        self.keep = keep
        self.running: subprocess.Popen[bytes] | None = None
        self.log = Path(settings.STUDIO_HOME) / "demo" / "studio.log"

    def __enter__(self) -> Studio:
        if is_ready() and _is_ours():
            return self
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.running = child.start(
            [sys.executable, "manage.py", "run"],
            stderr=self.log,
            stdout=self.log,
            cwd=settings.BASE_DIR,
            outlives_parent=self.keep,
            is_studio=True,
            env={
                "PORT": str(settings.PORT),
                "ENGINE_PORT": str(settings.ENGINE_PORT),
                "STUDIO_HOME": str(settings.STUDIO_HOME),
            },
        )
        self._wait()
        return self

    def _wait(self) -> None:
        assert self.running is not None  # noqa: S101 - started just above
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if is_ready():
                return
            if self.running.poll() is not None:
                raise Unavailable(f"The studio did not start: {self._last_words()}", fix=f"See {self.log}.")
            time.sleep(0.5)
        raise Unavailable(f"The studio was not ready after {START_SECONDS:.0f} s.", fix=f"See {self.log}.")

    def _last_words(self) -> str:
        lines = [line for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running is None or (self.keep and error is None):
            return
        self.running.send_signal(signal.SIGTERM)
        try:
            self.running.wait(timeout=40)
        except subprocess.TimeoutExpired:
            child.signal_group(self.running, signal.SIGKILL)
