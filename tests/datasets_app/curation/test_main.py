"""Curation by command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

STEPS = [{"kind": kind} for kind in ("normalize", "personal_data", "exact_duplicates", "near_duplicates", "split")]


ROOT = Path(__file__).parents[3]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "datasets_app.curation", *map(str, arguments)], capture_output=True, text=True, cwd=ROOT
    )


def test_a_run_says_its_progress_and_its_digest_as_json_lines(write, pairs, questions, tmp_path):
    recipe = write("recipe.json", json.dumps({"version": 1, "mapping": None, "steps": STEPS}))
    done = run("run", "--recipe", recipe, "--in", pairs(*questions(20)), "--out", tmp_path / "out")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, said[-1]["kind"], len(said[-1]["digest"])) == (0, "finished", 64)
    assert set(said[0]) == {"kind", "step", "done", "total"}
    splits = {"train.parquet", "validation.parquet", "test.parquet"}
    names = splits | {"ledger.parquet", "findings.parquet", "report.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names


def test_a_refusal_is_a_sentence_and_exit_code_2_and_no_traceback(write, tmp_path):
    recipe = write("recipe.json", "{")
    done = run("run", "--recipe", recipe, "--in", write("a.csv", ""), "--out", tmp_path / "out")
    said = json.loads(done.stdout)
    assert (done.returncode, said["kind"], said["code"]) == (2, "failed", "bad_recipe")
    assert "Traceback" not in done.stderr


def test_a_file_that_cannot_be_read_is_told_by_detect(write):
    done = run("detect", write("a.csv", ""))
    assert (done.returncode, list(json.loads(done.stdout))) == (2, ["error"])


def test_scan_writes_a_line_for_each_finding(write):
    done = run("scan", "--in", write("a.csv", "text,label\nann@example.com,a\nx,b\n"))
    assert json.loads(done.stdout)["entity_type"] == "EMAIL_ADDRESS"


def test_preview_prints_one_object_and_refuses_in_words(write, pairs, tmp_path):
    file = pairs("a question", "a  question")
    recipe = write("recipe.json", json.dumps({"version": 1, "steps": [{"kind": "normalize"}]}))
    done = run("preview", "--recipe", str(recipe), "--in", str(file), "--rows", "10")
    assert done.returncode == 0 and json.loads(done.stdout)["steps"][0]["changed"] == 1
    bad = write("bad.json", json.dumps({"version": 1, "steps": [{"kind": "patterns", "options": {"patterns": ["("]}}]}))
    refused = run("preview", "--recipe", str(bad), "--in", str(file))
    assert refused.returncode == 2 and "missing )" in json.loads(refused.stdout)["error"]


def test_sigterm_ends_a_run_with_code_3_and_leaves_nothing(write, questions, pairs, tmp_path):
    recipe = write("recipe.json", json.dumps({"version": 1, "mapping": None, "steps": STEPS}))
    many = pairs(*questions(30_000))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "datasets_app.curation", "run", "--recipe", recipe, "--in", many, "--out", out]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=240) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.csv", "recipe.json"]


def test_leaks_between_versions_are_named_by_their_rows(curate, pairs, questions):
    made = questions(40)
    one = curate(pairs(*made, name="a.csv"), out="one")
    two = curate(
        pairs(*made, name="b.csv"), out="two", split={"train": 0.5, "validation": 0.25, "test": 0.25, "seed": 3}
    )
    done = run("leaks", "--train", one.out / "train.parquet", "--held-out", two.out / "test.parquet")
    (held,) = json.loads(done.stdout)["held_out"]
    trained = {row["row"] for row in one.rows("train")}
    leaking = {row["row"] for row in two.rows("test")} & trained
    assert held["leaks"] == len(leaking) > 0
    assert {row for _file, row in held["rows_that_leak"]} == leaking


def test_a_file_that_is_no_version_is_refused_by_the_leak_check(write):
    file = write("a.parquet", "no")
    refused = run("leaks", "--train", file, "--held-out", file)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)
    assert "no Parquet file" in refused.stderr
