"""How fast a whole run is: the engine, TRL's SFTTrainer by hand and a bare PyTorch loop, on the same data in turn.

`python bench/training_speed.py [--rounds 3]` → bench/results/training_speed.json. Tokens a second are the training
rows' tokens, padding not counted, through the time of the whole process, from its start to its model folder: loading,
evaluations, and what the engine adds (sealed checkpoints, sample answers, the hardest rows) count. `first_step` is the
time from the process's start to the end of its first optimiser step. The order of the contenders turns with each round;
medians are told. Padding is the share of a batch's places that hold no token, over the engine's own batches of PADDED_ROWS
such rows: of a few dozen rows no order makes batches of one length.

Ends with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from chats import ROOT, SHAPE_135M, STARTER, chats, random_model, train_spec, write_split

sys.path.insert(0, str(ROOT))

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "training_speed.json"
BARS = {"trl": 1.0, "bare": 0.95, "first_step": 1.1, "padding": 0.05}
PADDED_ROWS = 2400
ENGINE, PEERS = "engine", ("trl", "bare")
# Rows for learning and for validation, rows a step, steps between looks at the validation rows and between checkpoints.
SIZES: dict[str, dict[str, int]] = {
    "starter": {"rows": 2400, "held_out": 120, "batch_size": 16, "eval_steps": 50, "save_steps": 50},
    "135 M": {"rows": 64, "held_out": 8, "batch_size": 8, "eval_steps": 4, "save_steps": 4},
}


def argv_of(contender: str, spec: Path) -> list[str]:
    """The process that trains a spec in a contender's way."""
    if contender == ENGINE:
        return [sys.executable, "-m", "training_app.engine", "train", str(spec)]
    return [sys.executable, str(HERE / "training_peers.py"), contender, str(spec)]


def is_first_step(line: str) -> bool:
    """Whether a line of output tells of the first optimiser step."""
    if not line.startswith("{"):
        return line.strip() == "first step"
    try:
        event = json.loads(line)
    except ValueError:
        return False  # TRL prints its metrics as Python writes a dictionary
    return bool(event.get("kind") == "metric" and "loss" in event["data"])


def run(contender: str, spec: dict[str, Any], folder: Path) -> dict[str, float]:
    """Seconds of the whole process, and to its first step."""
    folder.mkdir()
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / "cache")}
    first = 0.0
    began = time.monotonic()
    with (folder / "stderr").open("wb") as log:
        process = subprocess.Popen(
            argv_of(contender, path), cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            if not first and is_first_step(line):
                first = time.monotonic() - began
        code = process.wait()
    if code or not first:
        raise SystemExit(f"{contender} ended with {code}: {(folder / 'stderr').read_text()[-2000:]}")
    return {"seconds": time.monotonic() - began, "first_step": first}


def lengths_of(model: Path, rows: Path) -> list[int]:
    """Tokens of each training row, as the engine reads it."""
    from transformers import AutoTokenizer

    from training_app.engine.data import build_examples, read_rows

    tokenizer = AutoTokenizer.from_pretrained(model)
    stops = frozenset({tokenizer.eos_token_id})
    return [each.length for each in build_examples(read_rows(rows), tokenizer, stops, max_length=512).items]


def padding(lengths: list[int], batch_size: int) -> float:
    """The share of places in the engine's batches of rows of these lengths that hold no token."""
    from training_app.engine.batching import LengthPools

    order = list(LengthPools(lengths, batch_size=batch_size, seed=7))
    batches = [[lengths[row] for row in order[i : i + batch_size]] for i in range(0, len(order), batch_size)]
    places = sum(max(batch) * len(batch) for batch in batches)
    return round(1 - sum(lengths) / places, 4)


def measure(name: str, work: Path, rounds: int) -> dict[str, Any]:
    """One model, every contender in turn."""
    size = SIZES[name]
    folder = work / name.replace(" ", "")
    folder.mkdir()
    model = STARTER if name == "starter" else random_model(folder / "model", SHAPE_135M)
    splits = {
        "train": write_split(folder / "train.parquet", chats(size["rows"], seed=1)),
        "validation": write_split(folder / "validation.parquet", chats(size["held_out"], seed=2)),
    }
    cadence = {key: size[key] for key in ("batch_size", "eval_steps", "save_steps")}
    spec = train_spec(job="ftjob-bench", model=model, **splits, **cadence)
    found: dict[str, list[dict[str, float]]] = {ENGINE: [], **{peer: [] for peer in PEERS}}
    names = list(found)
    for number in range(rounds):
        turn = number % len(names)
        for contender in names[turn:] + names[:turn]:
            with tempfile.TemporaryDirectory(dir=folder) as place:
                found[contender].append(run(contender, spec, Path(place) / "run"))
            print(name, contender, found[contender][-1], flush=True)
    tokens = sum(lengths_of(model, splits["train"]))
    many = lengths_of(model, write_split(folder / "many.parquet", chats(PADDED_ROWS, seed=1)))
    seconds = {each: statistics.median(one["seconds"] for one in found[each]) for each in names}
    first = {each: statistics.median(one["first_step"] for one in found[each]) for each in names}
    return {
        "tokens": tokens,
        "padding": padding(many, size["batch_size"]),
        "tokens_a_second": {each: round(tokens / seconds[each], 1) for each in names},
        "against": {peer: round(seconds[peer] / seconds[ENGINE], 3) for peer in PEERS},
        "first_step_seconds": {each: round(first[each], 2) for each in names},
        "first_step_against_trl": round(first[ENGINE] / first["trl"], 3),
        "rounds": found,
    }


def met(found: dict[str, Any]) -> bool:
    """Whether a model's bars are all reached."""
    return (
        all(found["against"][peer] >= BARS[peer] for peer in PEERS)
        and found["first_step_against_trl"] <= BARS["first_step"]
        and found["padding"] < BARS["padding"]
    )


def main() -> int:
    """Both models."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="*", default=list(SIZES), choices=list(SIZES))
    asked = parser.parse_args()
    models = json.loads(RESULTS.read_text())["models"] if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="studio-training-speed-") as work:
        for name in asked.models:
            models[name] = measure(name, Path(work), asked.rounds)
            RESULTS.write_text(json.dumps({"bars": BARS, "models": models}, indent=1) + "\n")
    print(
        json.dumps({name: {k: v for k, v in each.items() if k != "rounds"} for name, each in models.items()}, indent=1)
    )
    return int(not all(met(models[name]) for name in asked.models))


if __name__ == "__main__":
    sys.exit(main())
