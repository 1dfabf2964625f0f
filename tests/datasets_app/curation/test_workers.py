"""The first pass in several processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.pipeline import Pipeline
from datasets_app.curation.recipe import parse_recipe
from datasets_app.curation.workers import BYTES_A_PROCESS, fitting

ROOT = Path(__file__).parents[3]


def test_two_processes_make_what_one_makes(curate, pairs, questions):
    secret = [(f"My mail is ann{place}@example.com", "Thank  you &amp; bye") for place in range(40)]
    made = [*questions(700), *secret, ("", "no question"), *questions(300)]
    one = curate(pairs(*made))
    two = curate(pairs(*made), out="two", processes=2)
    assert (one.digest, one.rows(), one.ledger()) == (two.digest, two.rows(), two.ledger())
    for report in (one.report, two.report):
        for step in report["steps"]:
            step.pop("seconds")
    assert one.report == two.report
    assert one.report["personal_data"]["EMAIL_ADDRESS"] == 40


def test_a_file_that_breaks_off_keeps_what_was_read_by_other_processes(curate, pairs, questions, write):
    nested = '{"prompt":"a","completion":"b","x":' + "[" * 700 + "]" * 700 + "}\n"
    lines = "".join(json.dumps({"prompt": q, "completion": a}) + "\n" for q, a in questions(30))
    done = curate(write("a.jsonl", lines + nested + lines.replace("parcel", "letter")), processes=2)
    assert done.adds_up() and done.report["rows"]["in"] == 61


def test_small_files_are_read_by_one_process():
    assert fitting(1000) == 1
    assert fitting(100 * BYTES_A_PROCESS) <= 4


def test_a_refusal_keeps_its_words_between_processes():
    import pickle  # what processes speak to each other

    refusal = pickle.loads(pickle.dumps(Refusal(code="a", message="B.", fix="C.")))
    assert (refusal.code, refusal.message, refusal.fix) == ("a", "B.", "C.")


def children(pid: int) -> list[int]:
    """The workers of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(rest.split()[1]) == pid and b"spawn_main" in command:
            found.append(int(name.split()[0]))
    return found


STEPS = {"version": 1, "mapping": None, "steps": [{"kind": "personal_data"}, {"kind": "split"}]}


def test_a_killed_worker_ends_the_run_with_a_sentence_and_leaves_nothing(pairs, questions, tmp_path):
    def kill_one(step: str, _done: int, _total: int) -> None:
        for worker in children(os.getpid())[:1]:
            os.kill(worker, signal.SIGKILL)

    many = pairs(*questions(8_000))
    steps = Pipeline(parse_recipe(STEPS), [many], tokenizer=None, progress=kill_one, processes=2)
    with pytest.raises(Refusal, match="ended from outside") as refused:
        steps.run(tmp_path / "out")
    assert refused.value.code == "worker_ended"
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.csv"]


def test_sigterm_ends_the_workers_too(write, questions, pairs, tmp_path):
    many, out = pairs(*questions(40_000)), tmp_path / "out"
    recipe = write("recipe.json", json.dumps(STEPS))
    command = [sys.executable, "-m", "datasets_app.curation", "run", "--processes", "2", "--recipe", recipe]
    with subprocess.Popen(
        [*map(str, command), "--in", str(many), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        process.stdout.readline()
        workers = children(process.pid)
        process.send_signal(signal.SIGTERM)
        _out, error = process.communicate(timeout=240)
    assert (process.returncode, "Traceback" in error) == (3, False)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.csv", "recipe.json"]
