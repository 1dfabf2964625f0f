"""SIGKILL for the training engine at random moments: does the same command go on and end with the same weights?

`python bench/kill_trials.py [--trials 50] [--minutes 60] [--work DIR]` → bench/results/kill_trials.json. Full fine-tunes
and LoRA take turns. A run that nobody disturbed is made for each method and seed; then each trial starts the engine,
kills it at a moment drawn between its first event and its end (loading, steps, checkpoints, the model folder), starts
the same command again and compares the SHA-256 of the final weights. A kill that came too late is drawn again.

Stops before the trials are through when `--minutes` are over and goes on at the next call with the same `--work`.
Ends with 1 where a digest differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from chats import ROOT, SHAPE_TINY, chats, random_model, train_spec, write_split

RESULTS = Path(__file__).with_name("results") / "kill_trials.json"
METHODS = ("full", "lora")
SEEDS = 5
WEIGHTS = ("model.safetensors", "adapter_model.safetensors")
# 24 steps over three epochs, in the middle of accumulations and between checkpoints.
RUN = {"batch_size": 4, "gradient_accumulation_steps": 2, "n_epochs": 3, "eval_steps": 4, "save_steps": 3}


def prepare(work: Path) -> None:
    """A tiny model with dropout, and two splits."""
    if not (work / "validation.parquet").exists():
        random_model(work / "model", SHAPE_TINY)
        write_split(work / "train.parquet", chats(62, seed=1, turns=1))
        write_split(work / "validation.parquet", chats(12, seed=2, turns=1))


def write_run(work: Path, name: str, method: str, seed: int) -> Path:
    """A run folder with its spec."""
    folder = work / name
    folder.mkdir()
    splits = {name: work / f"{name}.parquet" for name in ("train", "validation")}
    spec = train_spec(job=name, model=work / "model", **splits, method=method, seed=seed, **RUN)
    (folder / "spec.json").write_text(json.dumps(spec))
    return folder / "spec.json"


def engine(spec: Path, *, kill_after: float | None = None) -> tuple[int, list[dict[str, Any]], float]:
    """Run the engine, killed so many seconds after its first event; exit code, events, seconds from the first event."""
    process = subprocess.Popen(
        [sys.executable, "-m", "training_app.engine", "train", str(spec)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    events: list[dict[str, Any]] = []
    began, killer = 0.0, None
    for line in process.stdout:
        if not line.endswith("\n"):
            break  # cut short by the kill
        if not events:
            began = time.monotonic()
            if kill_after is not None:
                killer = threading.Timer(kill_after, os.kill, (process.pid, signal.SIGKILL))
                killer.start()
        events.append(json.loads(line))
    code = process.wait()
    if killer is not None:
        killer.cancel()
    return code, events, time.monotonic() - began


def digest(run: Path) -> str:
    """SHA-256 of the final weights."""
    path = next(run / "model" / name for name in WEIGHTS if (run / "model" / name).exists())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def undisturbed(work: Path, method: str, seed: int) -> dict[str, Any]:
    """Digest and length of the run that nobody killed; made once."""
    kept = work / f"undisturbed-{method}-{seed}.json"
    if not kept.exists():
        name = f"{method}-{seed}-{time.time_ns()}"
        spec = write_run(work, name, method, seed)
        code, events, seconds = engine(spec)
        assert code == 0, events[-1]
        kept.write_text(json.dumps({"digest": digest(spec.parent), "seconds": seconds}))
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def last_step(events: list[dict[str, Any]]) -> int:
    """The last step that the events tell of; 0 before the first."""
    return max((int(event["data"]["step"]) for event in events if event["kind"] == "metric"), default=0)


def trial(work: Path, number: int) -> dict[str, Any]:
    """One killed run and its end."""
    method, seed = METHODS[number % len(METHODS)], number // len(METHODS) % SEEDS
    whole = undisturbed(work, method, seed)
    draw = random.Random(number)
    late = 0
    while True:
        moment = round(draw.uniform(0.0, whole["seconds"]), 3)
        spec = write_run(work, f"trial-{number}-{time.time_ns()}", method, seed)
        code, events, _ = engine(spec, kill_after=moment)
        if code == -signal.SIGKILL:
            break
        late += 1
    code, again, _ = engine(spec)
    return {
        "trial": number,
        "method": method,
        "seed": seed,
        "moment": moment,
        "killed_after_step": last_step(events),
        "drawn_again": late,
        "resumed": code == 0,
        "resumed_from": again[0]["data"]["resumed_from"],
        "digest_equal": code == 0 and digest(spec.parent) == whole["digest"],
    }


def main() -> int:
    """Trials until there are enough or time is over; the results file is written after each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--work", type=Path, default=None)
    asked = parser.parse_args()
    work = asked.work or Path(tempfile.mkdtemp(prefix="studio-kill-trials-"))
    work.mkdir(parents=True, exist_ok=True)
    prepare(work)
    kept = work / "trials.json"
    trials: list[dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else []
    until = time.monotonic() + 60 * asked.minutes
    while len(trials) < asked.trials and time.monotonic() < until:
        trials.append(trial(work, len(trials)))
        print(trials[-1], flush=True)
        kept.write_text(json.dumps(trials))
    equal = sum(each["resumed"] and each["digest_equal"] for each in trials)
    found = {"trials_asked": asked.trials, "resumed_and_equal": equal, "trials": trials}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(f"{equal} of {len(trials)} ended with the same weights")
    return int(equal < len(trials))


if __name__ == "__main__":
    sys.exit(main())
