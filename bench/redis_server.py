"""A Redis of a benchmark's own, which keeps nothing on disk and may be killed and started again. `with Redis() as server:`"""

from __future__ import annotations

import shutil
import subprocess
import time
from types import TracebackType

import redis
from studio import free_port


class Redis:
    """`port` is where it listens, `client` asks it. RuntimeError where redis-server is not installed."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("redis-server is not installed.")
        self.port = free_port()
        self._argv = [program, "--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        self.client = redis.Redis(port=self.port)

    def __enter__(self) -> Redis:
        self.start()
        return self

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._server = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("redis-server did not start.")

    def kill(self) -> None:
        """SIGKILL: all messages are lost."""
        self._server.kill()
        self._server.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
