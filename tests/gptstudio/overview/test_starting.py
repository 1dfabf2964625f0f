"""Commands that start something say what is in their way in one sentence, and start over what a killed studio left."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gptstudio.core import heartbeats
from gptstudio.overview.management.commands.run import start_over
from serving_app.models import EngineReplica
from serving_app.selectors import engine_is_ready

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TIME_ZONE", "Mars/Olympus", "TIME_ZONE is 'Mars/Olympus', which is no time zone. Set it to one like"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud'. Set it to one of info, debug,"),
        ("TRAINING_DEVICE", "gpu", "TRAINING_DEVICE is 'gpu'. Set it to one of cpu, cuda."),
        ("TRAINING_QUEUE", "fast", "TRAINING_QUEUE is 'fast'. Set it to one of cpu, gpu."),
        ("REDIS_URL", "http://:secret@redis", "REDIS_URL is no server's address. Write it as redis://host:port."),
        ("ENGINE_URLS", "vllm=vllm:8000", "ENGINE_URLS has no server's address for 'vllm'. Write it as vllm=http://"),
        ("PUBLIC_URL", "studio.example", "PUBLIC_URL is no server's address. Write it as http://host:port."),
        ("PORT", "0", "PORT is '0'. Set it to a whole number from 1 to 65535."),
        ("TRAINING_SLOTS", "-1", "TRAINING_SLOTS is '-1'. Set it to a whole number of at least 1."),
        ("UPLOAD_MAX_MB", "lots", "UPLOAD_MAX_MB is 'lots'. Set it to a whole number of at least 1."),
        (
            "STORAGE_URL",
            "https://x",
            "STORAGE_URL is 'https://x', which names no bucket. Write it as s3://bucket/folder.",
        ),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name_and_the_fix(manage, variable, value, said) -> None:
    code, told = manage("check", **{variable: value})
    assert code == 1 and told.startswith(f"GPT Studio cannot start: {said}")
    assert "secret" not in told and "Traceback" not in told and len(told.strip().splitlines()) == 1


@pytest.mark.parametrize("program", ["web", "worker"])
def test_a_wrong_setting_stops_the_processes_that_django_does_not_start(started, program) -> None:
    code, told = started(program, TRAINING_DEVICE="gpu")
    assert (code, told) == (1, "GPT Studio cannot start: TRAINING_DEVICE is 'gpu'. Set it to one of cpu, cuda.\n")


@pytest.mark.parametrize("command", ["prepare", "run"])
def test_a_redis_that_is_away_stops_the_start(manage, command) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        ports = {"PORT": str(free_port()), "ENGINE_PORT": str(free_port())}
        url = f"redis://:secret@127.0.0.1:{reserved.getsockname()[1]}/0"
        code, said = manage(command, REDIS_URL=url, **ports)
    assert code == 1 and "Redis at 127.0.0.1 does not answer" in said and "REDIS_URL" in said
    assert "secret" not in said and "Traceback" not in said


def test_half_a_pair_of_keys_for_the_bucket_is_named(manage) -> None:
    code, said = manage("check", STORAGE_URL="s3://studio", STORAGE_ACCESS_KEY="a-key")
    assert code == 1 and said.startswith("GPT Studio cannot start: STORAGE_SECRET_KEY is not set.")


def test_a_bucket_that_is_not_there_or_away_stops_the_start(manage, bucket) -> None:
    known = bucket.environment()
    code, said = manage("prepare", **known | {"STORAGE_URL": "s3://not-made"})
    assert code == 1 and f"There is no bucket not-made at {bucket.server.url}. Make it, or correct STORAGE_URL." in said
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        code, said = manage("prepare", **known | {"STORAGE_ENDPOINT_URL": away})
    assert code == 1 and f"{bucket.name} at {away} does not answer" in said and "STORAGE_ENDPOINT_URL" in said
    assert "a-secret" not in said and "Traceback" not in said


PROGRAMS = {
    "web": ["-m", "gptstudio.server", "--port", "0"],
    "worker": ["-m", "celery", "-A", "gptstudio", "worker", "-Q", "cpu", "-c", "1"],
    "reconciler": ["manage.py", "reconcile"],
}


@pytest.fixture
def started(tmp_path):
    """One of the studio's own processes, started without `prepare`; gives its exit code and its last words."""

    def call(name: str, **environment: str) -> tuple[int, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        ended = subprocess.run(
            [sys.executable, *PROGRAMS[name]],
            cwd=ROOT,
            env={**kept, "STUDIO_HOME": str(tmp_path / "home"), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return ended.returncode, ended.stderr

    return call


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A database that `prepare` made."""
    home = tmp_path_factory.mktemp("prepared")
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    env = {**kept, "STUDIO_HOME": str(home)}
    subprocess.run([sys.executable, "manage.py", "prepare"], cwd=ROOT, env=env, check=True, capture_output=True)
    return home / "studio.sqlite3"


@pytest.fixture
def copied(prepared, tmp_path):
    """Copies of the prepared database; each call gives another's path."""

    def call() -> Path:
        return Path(shutil.copy(prepared, tempfile.mkdtemp(dir=tmp_path)))  # beside nobody's write-ahead log

    return call


@pytest.fixture
def changed(copied):
    """The prepared database, with its list of steps changed; gives its address."""

    def call(statement: str) -> str:
        path = copied()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
            connection.commit()
        return f"sqlite:///{path}"

    return call


NEWER = "insert into django_migrations (app, name, applied) values ('serving', '9999_of_next_year', '2030-01-01')"
OLDER = "delete from django_migrations where app = 'serving' and id = (select max(id) from django_migrations where app = 'serving')"


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_nothing_starts_on_the_database_of_another_version(started, changed, program) -> None:
    code, said = started(program, DATABASE_URL=changed(NEWER))
    assert code == 1 and "that of a newer studio: it has gone through serving.9999_of_next_year" in said
    assert "Traceback" not in said
    code, said = started(program, DATABASE_URL=changed(OLDER))
    assert code == 1 and "that of an older studio" in said and "manage.py prepare" in said and "Traceback" not in said


def test_a_newer_database_is_not_prepared_by_an_older_studio(manage, changed) -> None:
    code, said = manage("prepare", DATABASE_URL=changed(NEWER))
    assert code == 1 and "of a newer studio" in said and "Traceback" not in said


def test_processes_say_that_their_database_is_away(started) -> None:
    for name in sorted(PROGRAMS):
        code, said = started(name, DATABASE_URL="postgres://studio:secret@127.0.0.1:1/studio")
        assert code == 1 and "does not answer" in said and "DATABASE_URL" in said
        assert "secret" not in said and "Traceback" not in said


class Engine(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that serves one model to who has its key."""

    def do_GET(self) -> None:
        is_known = self.headers["Authorization"] == "Bearer right"
        body = b'{"object": "list", "data": [{"id": "Qwen/Qwen2.5-7B", "owned_by": "vllm"}]}' if is_known else b"{}"
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def engine():
    with ThreadingHTTPServer(("127.0.0.1", 0), Engine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"vllm=http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_engine_that_serves_another_model_than_asked_stops_the_start(manage, engine, copied) -> None:
    asked = {"ENGINE_URLS": engine, "ENGINE_TOKEN": "right", "DATABASE_URL": f"sqlite:///{copied()}"}
    code, said = manage("prepare", ENGINE_MODELS="model_x=Qwen/Qwen2.5-14B", **asked)
    assert code == 1 and "Traceback" not in said
    assert "ENGINE_MODELS says that Qwen/Qwen2.5-14B is served, and vllm serves Qwen/Qwen2.5-7B." in said
    assert manage("prepare", ENGINE_MODELS="model_x=Qwen/Qwen2.5-7B", **asked)[0] == 0
    away = {**asked, "ENGINE_URLS": f"{engine},late=http://127.0.0.1:1"}
    assert manage("prepare", ENGINE_MODELS="model_x=Qwen/Qwen2.5-14B", **away)[0] == 0, "it may serve it later"


def test_an_engine_with_another_token_stops_the_start(manage, engine) -> None:
    code, said = manage("prepare", ENGINE_URLS=engine, ENGINE_TOKEN="wrong")
    assert (
        code == 1 and "The engine vllm of ENGINE_URLS does not take ENGINE_TOKEN." in said and "Traceback" not in said
    )


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
