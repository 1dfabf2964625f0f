"""Two web processes on one database: a key that one of them closes is closed at the other; and no database is a 503."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.db import connection

from tests.serving_app.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    """The tests' own database, as another process names it."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}:{found['PASSWORD']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


@contextmanager
def web_process(
    home: Path, database: str, *, patience: int = 120, program: tuple[str, ...] = ("gptstudio.server",)
) -> Iterator[str]:
    """A studio's web process, which waits so long for its database; gives its address."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DJANGO_SETTINGS_MODULE")}
    env = {**kept, "STUDIO_HOME": str(home), "DATABASE_URL": database, "LOG_LEVEL": "CRITICAL"}
    env["DATABASE_WAIT"] = str(patience)
    argv = [sys.executable, "-m", *program, "--port", str(port)]
    process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 180
        while True:
            assert process.poll() is None and time.monotonic() < deadline, "the web process did not start"
            try:
                httpx.get(f"{address}/v1/models", timeout=120)
                break
            except httpx.ConnectError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=120)


def test_what_one_process_revokes_or_rotates_is_dead_at_the_other_at_once(
    transactional_db, starter, as_alice, workspace, tmp_path
) -> None:
    from gptstudio.accounts import services

    def issue(*scopes: str) -> tuple[str, dict[str, str]]:
        key, secret = services.issue_key(as_alice, workspace_id=workspace.id, name="p", scopes=scopes)
        return key.id, {"Authorization": f"Bearer {secret}"}

    _, admin = issue("keys:write", "models:read")
    with web_process(tmp_path / "one", database_url()) as one, web_process(tmp_path / "two", database_url()) as two:
        for verb, body in (("revoke", None), ("rotate", {})):
            key, program = issue("models:read")
            assert httpx.get(f"{two}/v1/models", headers=program, timeout=120).status_code == 200
            done = httpx.post(f"{one}/api/v1/api-keys/{key}/{verb}", headers=admin, json=body, timeout=120)
            assert done.status_code == 200, done.text
            after = httpx.get(f"{two}/v1/models", headers=program, timeout=120)
            assert after.status_code == 401 and after.json()["error"]["code"] == "invalid_api_key"
            if verb == "rotate":
                fresh = {"Authorization": f"Bearer {done.json()['secret']}"}
                assert httpx.get(f"{two}/v1/models", headers=fresh, timeout=120).status_code == 200


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_database_that_is_away_is_a_503_and_never_a_401(kind, tmp_path) -> None:
    gone = f"sqlite:///{tmp_path}/nowhere/db.sqlite3" if kind == "sqlite" else f"postgres://x@127.0.0.1:{free_port()}/x"
    program = {"Authorization": "Bearer sk-studio-something"}
    chat = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    # Not by its own start, which refuses a database that is away from the first: here it is as if it had gone since.
    with web_process(tmp_path / "home", gone, patience=1, program=("uvicorn", "gptstudio.asgi:application")) as address:
        for answer in (
            httpx.get(f"{address}/v1/models", headers=program, timeout=120),
            httpx.post(f"{address}/v1/chat/completions", headers=program, json=chat, timeout=120),
        ):
            assert answer.status_code == 503 and answer.json()["error"]["code"] == "unavailable", answer.text
            assert answer.headers["x-should-retry"] == "true" and answer.headers["retry-after"]
        native = httpx.get(f"{address}/api/v1/datasets", headers=program, timeout=120)
        assert native.status_code == 503 and native.json()["code"] == "unavailable"
