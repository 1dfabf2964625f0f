"""An engine that hangs leaves by itself, and its next start closes what was open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from serving_app.engine.watchdog import EXIT_STUCK
from tests.serving_app.engine.conftest import REPOSITORY, EngineServer, free_port, stop
from tests.serving_app.engine.test_engine_life import QUESTION, http, wait_for_end

# An engine whose every step hangs once a file is there, as native code can.
HANGING = """
import sys, time
from pathlib import Path
from serving_app.engine import scheduler
step = scheduler.Scheduler.step
def hangs(self):
    while Path(sys.argv[-1]).exists():
        time.sleep(0.05)
    return step(self)
scheduler.Scheduler.step = hangs
from serving_app.engine.__main__ import main
sys.exit(main(sys.argv[1:-1]))
"""


def hanging(root: Path, folder: Path, *, seconds: str) -> EngineServer:
    port = free_port()
    argv = ["--port", str(port), "--threads", "1", "--model-root", str(root), "--journal", str(folder / "journal")]
    argv += ["--model", "m=llama", "--stuck-seconds", seconds, str(folder / "hang")]
    environment = {**os.environ, "ENGINE_TOKEN": "secret", "OMP_NUM_THREADS": "1"}
    started = subprocess.Popen(
        [sys.executable, "-c", HANGING, *argv], cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE
    )
    server = EngineServer(port, root, folder / "journal", "secret", started)
    server.wait_until_ready()
    return server


def test_a_hanging_engine_ends_and_the_next_one_closes_its_books(
    model_root: Path, tmp_path: Path, start_engine: Any
) -> None:
    server = hanging(model_root, tmp_path, seconds="2")
    (tmp_path / "hang").touch()
    body = {"model": "m", "max_tokens": 5, **QUESTION}
    try:
        http(server).post("/v1/chat/completions", json=body, headers={"x-request-id": "hung"})
    except httpx.HTTPError:
        pass
    else:
        raise AssertionError("a hanging engine cannot have answered")
    assert server.started.wait(timeout=120) == EXIT_STUCK
    assert (
        server.started.stderr is not None and b"although there is work; the engine ends" in server.started.stderr.read()
    )
    again = start_engine("--model", "m=llama")
    again.wait_until_ready()
    assert wait_for_end(http(again), "hung")["finish_reason"] == "error"


def test_a_process_that_was_stopped_for_a_while_goes_on(model_root: Path, tmp_path: Path) -> None:
    server = hanging(model_root, tmp_path, seconds="2")
    try:
        server.started.send_signal(signal.SIGSTOP)
        time.sleep(6)
        server.started.send_signal(signal.SIGCONT)
        answer = http(server).post("/v1/chat/completions", json={"model": "m", "max_tokens": 5, **QUESTION})
        assert answer.status_code == 200 and server.started.poll() is None
    finally:
        stop(server)
