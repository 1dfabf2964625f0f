"""The compose file's own commands, run for real in its order on a fresh PostgreSQL database and a Redis of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.test_compose import COMPOSE, command_of

pytestmark = pytest.mark.journey
ROOT = Path(__file__).resolve().parents[2]
INSIDE = "/home/studio/home"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Machine:
    """What containers see, on this machine: names of hosts become addresses, the volume becomes a folder."""

    def __init__(self, home: Path, database: str, redis: str) -> None:
        self.home, self.web, self.engine = home, free_port(), free_port()
        self.servers = {"DATABASE_URL": database, "REDIS_URL": redis}
        self.running: list[subprocess.Popen[bytes]] = []

    def environment(self, name: str) -> dict[str, str]:
        given = {"SECRET_KEY": "s" * 50, "ENGINE_TOKEN": "t" * 50, "POSTGRES_PASSWORD": "p", "REDIS_PASSWORD": "unused"}
        found = {
            key: re.sub(r"\$\{(\w+)(?::?[-?]([^}]*))?\}", lambda match: given.get(match[1], match[2] or ""), str(value))
            for key, value in COMPOSE["services"][name]["environment"].items()
        }
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        if "DATABASE_URL" in found:  # engines know none
            urls = found["ENGINE_URLS"].replace("engine:8001", f"127.0.0.1:{self.engine}")
            found |= {**self.servers, "ENGINE_URLS": urls, "STUDIO_HOME": str(self.home)}
        return {**kept, **found, "OMP_NUM_THREADS": "1"}

    def argv(self, name: str) -> list[str]:
        ports = {"8000": str(self.web), "8001": str(self.engine), "python": sys.executable, "0.0.0.0": "127.0.0.1"}
        return [ports.get(part, part.replace(INSIDE, str(self.home))) for part in command_of(name)]

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with (self.home.parent / f"{name}.log").open("ab") as log:
            started = subprocess.Popen(self.argv(name), cwd=ROOT, env=self.environment(name), stdout=log, stderr=log)
        self.running.append(started)
        return started

    def health(self) -> dict:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/health", timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:
            return {}

    def stop(self) -> list[int]:
        for each in self.running:
            each.terminate()
        return [each.wait(timeout=240) for each in self.running]


@pytest.fixture
def machine(tmp_path: Path, servers: tuple[str, str]) -> Iterator[Machine]:
    import psycopg

    server, redis = servers
    name = f"studio_compose_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    home = tmp_path / "home"
    home.mkdir()
    found = Machine(home, f"{server.rsplit('/', 1)[0]}/{name}", redis)
    yield found
    for each in found.running:
        each.kill()
        each.wait()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")


def test_every_service_comes_up_behind_prepare_and_the_studio_is_usable(machine: Machine) -> None:
    assert machine.start("prepare").wait(timeout=400) == 0, (machine.home.parent / "prepare.log").read_text()
    machine.running.clear()
    ours = [name for name, each in COMPOSE["services"].items() if each.get("image") == "gptstudio:latest"]
    lasting = [name for name in ours if name not in ("prepare", "worker-gpu")]
    assert {"web", "worker-cpu", "reconciler", "engine"} == set(lasting)
    for name in lasting:
        machine.start(name)
    deadline = time.monotonic() + 400
    while (seen := machine.health()).get("status") != "ok":
        assert all(each.poll() is None for each in machine.running), f"a service ended; health says {seen}"
        assert time.monotonic() < deadline, f"not ready: {seen}"
        time.sleep(0.5)
    with urllib.request.urlopen(f"http://127.0.0.1:{machine.web}/accounts/login/", timeout=60) as page:
        cookies = page.headers.get_all("Set-Cookie")
    assert cookies and not any("secure" in cookie.lower() for cookie in cookies), "PUBLIC_URL says http"
    # uvicorn answers what is under way and then ends by the very signal that it was sent.
    assert machine.stop() == [-signal.SIGTERM if name == "web" else 0 for name in lasting]
