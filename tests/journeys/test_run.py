"""`manage.py run`: starts over its leftovers, restarts what dies, stops clean, and says what is in its way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from openai import OpenAI

pytestmark = pytest.mark.journey
ROOT = Path(__file__).resolve().parents[2]


def health(port: str) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}


def wait_until_ready(port: str, studio: subprocess.Popen) -> None:
    deadline = time.monotonic() + 400
    while health(port)[0] != 200:
        assert studio.poll() is None, "the studio ended while it started"
        assert time.monotonic() < deadline, f"not ready: {health(port)}"
        time.sleep(0.3)


def start(set_up) -> subprocess.Popen:
    log = (set_up.home.parent / "run.log").open("ab")
    return subprocess.Popen([sys.executable, "manage.py", "run"], cwd=ROOT, env=set_up.env, stdout=log, stderr=log)


def children_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_studio_starts_over_its_own_leftovers_and_stops_clean(embedded) -> None:
    port = embedded.env["PORT"]
    first = start(embedded)
    wait_until_ready(port, first)
    orphans = children_of(first.pid)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    deadline = time.monotonic() + 120
    while any(alive(pid) for pid in orphans):
        assert time.monotonic() < deadline, "children outlived their killed supervisor"
        time.sleep(0.1)
    half_made = [embedded.home / "work" / "v_1.1" / "out", embedded.home / "artifacts" / ".staging-1"]
    for folder in half_made:
        folder.mkdir(parents=True)
    (embedded.home / "files" / ".incoming-1").parent.mkdir(exist_ok=True)
    (embedded.home / "files" / ".incoming-1").write_bytes(b"half a file")
    second = start(embedded)
    wait_until_ready(port, second)
    assert not [left for left in (*half_made, embedded.home / "files" / ".incoming-1") if left.exists()]
    victims = children_of(second.pid)
    os.kill(victims[-1], signal.SIGKILL)
    deadline = time.monotonic() + 240
    while len([pid for pid in children_of(second.pid) if alive(pid)]) < len(victims) or victims[-1] in children_of(
        second.pid
    ):
        assert time.monotonic() < deadline, "the killed child was not started again"
        time.sleep(0.2)
    wait_until_ready(port, second)
    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=240) == 0
    assert not [pid for pid in victims if alive(pid)]


def events_of(run: Path, kind: str) -> list[dict]:
    path = run / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    return [event["data"] for event in events if event["kind"] == kind]


def wait_for_event(run: Path, kind: str, count: int) -> dict:
    deadline = time.monotonic() + 400
    while len(found := events_of(run, kind)) < count:
        assert time.monotonic() < deadline, f"no event {kind}"
        time.sleep(0.1)
    return found[-1]


def test_ctrl_c_in_the_middle_of_a_fine_tune_saves_it_and_the_next_start_goes_on_by_itself(
    embedded, small_export: Path
) -> None:
    port, first = embedded.env["PORT"], start(embedded)
    wait_until_ready(port, first)
    made = embedded.manage("bootstrap", "--email", "ann@care.example", "--workspace", "Care", "--print-key")
    client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=made.stdout.strip().splitlines()[-1])
    file = client.files.create(file=small_export, purpose="fine-tune")
    model = client.models.list().data[0].id
    job = client.fine_tuning.jobs.create(model=model, training_file=file.id, hyperparameters={"n_epochs": 50})
    run = embedded.home / "runs" / job.id
    wait_for_event(run, "metric", 2)

    first.send_signal(signal.SIGINT)

    assert first.wait(timeout=400) == 0
    saved = events_of(run, "checkpoint")[-1]["step"]
    assert events_of(run, "notice")[-1]["message"].startswith(f"Stopped on request after step {saved};")
    second = start(embedded)
    assert wait_for_event(run, "started", 2)["resumed_from"] == saved
    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=400) == 0


def test_a_taken_port_is_named_with_the_way_out(embedded) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(embedded.env["PORT"])))
        taken.listen()
        outcome = embedded.manage("run")
    assert outcome.returncode != 0
    assert f"Port {embedded.env['PORT']}" in outcome.stderr
    assert "Set PORT" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_home_that_cannot_be_made_is_named(embedded, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    embedded.env["STUDIO_HOME"] = str(blocker / "home")
    outcome = embedded.manage("run")
    assert outcome.returncode != 0
    assert "STUDIO_HOME" in outcome.stderr
    assert "Traceback" not in outcome.stderr
