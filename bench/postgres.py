"""A PostgreSQL cluster of a benchmark's own, which may be killed and started again. `with Postgres() as cluster:`"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import psycopg
from studio import free_port


class Postgres:
    """`url` opens it. Needs installed binaries; RuntimeError where there are none."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not found:
            raise RuntimeError("PostgreSQL is not installed below /usr/lib/postgresql.")
        self._programs = found[-1]
        self._folder = Path(tempfile.mkdtemp(prefix="studio-bench-postgres-"))
        self._port = free_port()
        self._owner = {"user": "postgres"} if os.geteuid() == 0 else {}  # it refuses to run as root
        self.url = f"postgres://postgres@127.0.0.1:{self._port}/postgres"

    def __enter__(self) -> Postgres:
        if self._owner:
            shutil.chown(self._folder, "postgres")
        argv = [str(self._programs / "initdb"), "-D", str(self._folder / "data"), "-U", "postgres", "-A", "trust"]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, **self._owner)  # type: ignore[call-overload]
        self.start()
        return self

    def start(self) -> None:
        """Start it and wait until it answers. What a killed one left running goes first, which takes a moment."""
        argv = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-p", str(self._port)]
        argv += ["-k", str(self._folder)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._server = subprocess.Popen(argv, **quiet, **self._owner)  # type: ignore[call-overload]
        deadline = time.monotonic() + 60
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start.")
            if self._server.poll() is not None:
                time.sleep(0.2)
                self._server = subprocess.Popen(argv, **quiet, **self._owner)  # type: ignore[call-overload]
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                connection.execute("select 1")
        except psycopg.Error:
            return False
        return True

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    def processes(self) -> list[int]:
        """The server and its children."""
        tasks = list(Path(f"/proc/{self._server.pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        return [self._server.pid, *children]

    def kill(self) -> None:
        """SIGKILL for the server; its children follow by themselves."""
        self._server.kill()
        self._server.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.send_signal(signal.SIGINT)
        self._server.wait(timeout=60)
        shutil.rmtree(self._folder, ignore_errors=True)
