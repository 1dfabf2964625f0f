"""A studio of its own for a benchmark: fresh home, free ports, started and stopped with `with`; and how to ask it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Door:
    """Where to ask: the base URL, the model's name there, the key."""

    url: str
    model: str
    key: str


def call(url: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One JSON request; POST where there is a body. Errors: urllib's."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers), timeout=120) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


class Studio:
    """`with Studio() as studio:` gives `url`, `key` and `manage(…)`."""

    def __init__(
        self,
        *,
        release: str = "automatic",
        imports: Path | None = None,
        engine: str = "",
        database: str = "",
        broker: str = "",
        within: Path | None = None,
    ) -> None:
        """`imports` is a model folder to be found below STUDIO_HOME/import under its own name; `engine` the URL of an
        engine that runs already, so that the studio starts none; `database` and `broker` URLs for DATABASE_URL and
        REDIS_URL; `within` the folder that its home is made in.
        """
        self.home = Path(tempfile.mkdtemp(prefix="studio-bench-", dir=within))
        if imports is not None:
            shutil.copytree(imports, self.home / "import" / imports.name)
        self.port = free_port()
        self.env = {
            **os.environ,
            "STUDIO_HOME": str(self.home),
            "PORT": str(self.port),
            "ENGINE_PORT": str(free_port()),
        }
        if engine:
            self.env["ENGINE_URLS"] = f"bench={engine}"
        if database:
            self.env["DATABASE_URL"] = database
        if broker:
            self.env["REDIS_URL"] = broker
        self.arguments = ["--no-engine"] if engine else []
        self.url = f"http://127.0.0.1:{self.port}"
        self.release = release
        self.key = ""

    def manage(self, *arguments: str) -> str:
        """Run a management command; its standard output."""
        argv = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(argv, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]} failed: {done.stderr[-2000:]}")
        return done.stdout

    def __enter__(self) -> Studio:
        self.manage("migrate", "-v0")
        arguments = ["--email", "bench@localhost.example", "--workspace", "Bench", "--release", self.release]
        self.key = self.manage("bootstrap", *arguments, "--print-key").strip().splitlines()[-1]
        self.start()
        return self

    def start(self) -> None:
        """Start what was bootstrapped before, and wait until all of it answers."""
        argv = [sys.executable, "manage.py", "run", *self.arguments]
        with (self.home / "run.log").open("ab") as log:
            self.running = subprocess.Popen(argv, cwd=ROOT, env=self.env, stdout=log, stderr=log)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Until all of it answers; RuntimeError with its last words where it does not within two minutes."""
        deadline = time.monotonic() + 120
        while not self.is_ready():
            if time.monotonic() > deadline or self.running.poll() is not None:
                raise RuntimeError((self.home / "run.log").read_text()[-3000:])
            time.sleep(0.3)

    def is_ready(self) -> bool:
        """Whether all of its parts answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running.send_signal(signal.SIGTERM)
        self.running.wait(timeout=60)
        shutil.rmtree(self.home, ignore_errors=True)
