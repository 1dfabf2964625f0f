"""A studio that works is backed up; what is restored from it elsewhere is the same studio, and its model answers."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from openai import OpenAI

from tests.journeys.conftest import SetUp
from tests.journeys.test_run import start, wait_until_ready

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1800)]
QUESTION = [{"role": "user", "content": "Where is my parcel?"}]


def api(port: str, key: str, path: str, body: dict | None = None) -> dict:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/{path}", headers={"Authorization": f"Bearer {key}"})
    if body is not None:
        asked.data, asked.method = json.dumps(body).encode(), "POST"
        asked.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)


def ready_version(port: str, key: str, data_set: str) -> str:
    made = api(port, key, f"datasets/{data_set}/versions", {})
    deadline = time.monotonic() + 900
    while (seen := api(port, key, f"datasets/{data_set}/versions/{made['id']}"))["state"] != "ready":
        assert seen["state"] not in ("failed", "cancelled") and time.monotonic() < deadline, seen
        time.sleep(0.3)
    return made["id"]


def test_a_restored_studio_answers_with_the_key_the_data_and_the_bill_of_before(
    production: SetUp, second_database: str, head_of_dialogues: Path, tmp_path: Path
) -> None:
    first = production
    port, running = first.env["PORT"], start(first)
    wait_until_ready(port, running)
    key = first.manage("bootstrap", "--email", "ann@care.example", "--workspace", "Care", "--print-key").stdout.split()[
        -1
    ]
    client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key)
    file = client.files.create(file=head_of_dialogues, purpose="fine-tune")
    data_set = api(port, key, "datasets")["data"][0]["id"]
    version = ready_version(port, key, data_set)
    model = client.models.list().data[0].id
    told = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=8, temperature=0)

    outcome = first.manage("backup", "--to", str(tmp_path / "backups"))

    assert outcome.returncode == 0, outcome.stderr
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=300) == 0
    env = {**first.env, "STUDIO_HOME": str(tmp_path / "second"), "DATABASE_URL": second_database}
    second = replace(first, home=tmp_path / "second", env=env)
    outcome = second.manage("restore", "--from", str(next((tmp_path / "backups").iterdir())))
    assert outcome.returncode == 0, outcome.stderr
    again = second.manage("verify_version", version)
    assert again.returncode == 0 and "The same" in again.stdout, again.stderr
    running = start(second)
    wait_until_ready(port, running)
    assert client.files.content(file.id).content == head_of_dialogues.read_bytes()
    repeated = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=8, temperature=0)
    assert repeated.choices[0].message.content == told.choices[0].message.content
    assert api(port, key, f"requests/{told._request_id}")["bill"]["completion_tokens"] == told.usage.completion_tokens
    assert second.manage("verify_audit").returncode == 0
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=300) == 0


@pytest.fixture
def second_database() -> str:
    """A database of its own on the same server."""
    import uuid

    import psycopg

    server = os.environ["TEST_DATABASE_URL"]
    name = f"studio_journey_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    yield f"{server.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")
