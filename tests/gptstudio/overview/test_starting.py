"""Commands that start something say what is in their way in one sentence, and start over what a killed studio left."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gptstudio.core import heartbeats
from gptstudio.overview.management.commands.run import start_over
from serving_app.models import EngineReplica
from serving_app.selectors import engine_is_ready

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def manage(tmp_path):
    """`manage.py …` with nothing in the environment but what is given; gives its exit code and what it said."""

    def call(*arguments: str, **environment: str) -> tuple[int, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        ended = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**kept, "STUDIO_HOME": str(tmp_path / "home"), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )
        return ended.returncode, ended.stderr

    return call


def test_an_address_that_is_no_databases_is_named_and_not_repeated(manage) -> None:
    code, said = manage("prepare", DATABASE_URL="postgress://studio:secret@db/studio")
    assert code == 1 and said.startswith("GPT Studio cannot start: DATABASE_URL is no database's address.")
    assert "secret" not in said and "Traceback" not in said


@pytest.mark.parametrize(
    "command",
    [("prepare",), ("run",), ("bootstrap", "--email", "a@care.example", "--workspace", "Care")],
    ids=lambda command: command[0],
)
def test_a_database_that_is_away_is_said_at_once(manage, command) -> None:
    with socket.socket() as reserved:  # bound and not listening: nobody answers here
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        code, said = manage(*command, DATABASE_URL=f"postgres://studio:secret@127.0.0.1:{port}/studio")
    assert code == 1 and "The database at 127.0.0.1 does not answer" in said and "DATABASE_URL" in said
    assert "secret" not in said and "Traceback" not in said


def test_a_host_that_is_not_this_machine_is_named(manage) -> None:
    code, said = manage("run", HOST="no-such-host.invalid")
    assert code == 1 and "HOST is 'no-such-host.invalid', which is no address of this machine" in said
    assert "taken" not in said and "Traceback" not in said


def test_the_demo_names_what_the_system_refused(manage, tmp_path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "demo").write_text("a file in the way")
    code, said = manage("demo")
    assert code == 1 and "The demo stopped: File exists" in said and "Traceback" not in said


def test_signs_of_an_earlier_life_count_no_more(transactional_db, studio_home) -> None:
    heartbeats.beat("worker")
    heartbeats.beat("reconciler")
    EngineReplica.objects.create(name="embedded", url="http://127.0.0.1:1", is_up=True, loaded=["starter@0"])
    (studio_home / "uploads").mkdir()
    (studio_home / "uploads" / ".incoming-a").touch()
    assert heartbeats.is_alive("worker") and engine_is_ready()
    start_over()
    assert not heartbeats.is_alive("worker") and not heartbeats.is_alive("reconciler")
    assert not engine_is_ready() and EngineReplica.objects.get().loaded == []
    assert not (studio_home / "uploads" / ".incoming-a").exists()
