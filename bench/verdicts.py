"""How often the verdict is wrong where there is nothing, and how often it finds what is there.

`python bench/verdicts.py [--trials 1000] [--draws 200] [--only answers|labels]` → bench/results/verdicts.json. What is not
measured stays as it stands there.

Null: for each row it is drawn which of the two systems gets which of its stored scores, so neither can be better; "better"
or "worse" should be said in 3 to 7 % of the trials. The stored scores are those that a real evaluation leaves: a fine-tune
of the starter on generated questions, 500 test rows, every metric; and exact matches of 500 rows of which 13 % differ.
The same for accuracy and macro-F1 on questions whose answer is a label, and there once more with rows that belong together
in fives, drawn group by group.
Power: 9 % of 500 rows turn right and 4 % wrong, drawn anew each time; found in at least 80 % of the draws.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent))

from training_app.engine.intervals import FEWEST_DIFFERENT, RESAMPLES, compare
from training_app.engine.rowfile import NAME, read_statistics
from training_app.engine.sums import SCORES, Numbers, mean

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "verdicts.json"
STARTER = HERE.parent / "training_app" / "engine" / "starter" / "model"
LABELLED = ("accuracy", "macro_f1")
PLANTED = "exact_match_13_percent_differ"
SCORES[PLANTED] = mean
ROWS, TRAIN_ROWS = 500, 600
TOGETHER = 5  # rows of a group
RIGHT, WRONG, BASE_RIGHT = 0.09, 0.04, 0.4
THINGS = ("parcel", "refund", "invoice", "card", "password", "account", "order", "coupon")
ACTS = ("find", "change", "cancel", "return", "check", "renew", "print", "share")
PLACES = ("in the app", "on the website", "by phone", "at the counter", "in your letter", "from the menu")


def rows_of(number: int, seed: int) -> list[dict[str, Any]]:
    """Questions of a made-up shop; what they ask for decides the answer, its wording varies."""
    rng = random.Random(seed)
    rows = []
    for index in range(number):
        act, thing, days = rng.choice(ACTS), rng.choice(THINGS), rng.randint(1, 30)
        place = PLACES[(ACTS.index(act) + THINGS.index(thing)) % len(PLACES)]
        asked = rng.choice(("How do I {} my {}?", "I want to {} my {} from {} days ago.", "Can you {} a {} for me?"))
        told = rng.choice(("You can {} your {} {}.", "Please {} the {} {} within {} days.", "We {} every {} {}."))
        turns = [
            {"role": "user", "content": asked.format(act, thing, days)},
            {"role": "assistant", "content": told.format(act, thing, place, days)},
        ]
        rows.append({"row_id": index, "file": "shop", "row": index, "messages": turns, "label": None})
    return rows


def labelled_rows_of(number: int, seed: int) -> list[dict[str, Any]]:
    """The same questions; the answer is what they are about. Some that follow each other are a group."""
    found = []
    for index, row in enumerate(rows_of(number, seed)):
        asked = row["messages"][0]["content"]
        label = next(thing for thing in THINGS if thing in asked)
        if index % 6 == 0:  # nobody could tell from the words
            asked = asked.replace(label, "thing")
        turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": label}]
        found.append({**row, "messages": turns, "label": label, "group": f"{index // TOGETHER}"})
    return found


def engine(kind: str, folder: Path, spec: dict[str, Any]) -> None:
    """One command of the training engine, in a process of its own as always."""
    folder.mkdir(parents=True, exist_ok=True)
    common = {"v": 1, "kind": kind, "job": "bench", "attempt": 1, "device": "cpu", "threads": 2}
    (folder / "spec.json").write_text(json.dumps({**common, **spec}))
    command = [sys.executable, "-m", "training_app.engine", kind, str(folder / "spec.json")]
    subprocess.run(command, check=True, cwd=HERE.parent, stdout=subprocess.DEVNULL)


def evaluated(folder: Path, make: Callable[[int, int], list[dict[str, Any]]]) -> dict[str, dict[str, Numbers]]:
    """What each test row brought to every metric, for the starter and a short fine-tune of it."""
    for name, number, seed in (("train", TRAIN_ROWS, 1), ("test", ROWS, 2)):
        pq.write_table(pa.Table.from_pylist(make(number, seed)), folder / f"{name}.parquet")
    starter = {"name": "starter", "path": str(STARTER)}
    settings = {
        "learning_rate": 5e-4, "batch_size": 16, "gradient_accumulation_steps": 1, "n_epochs": 1, "optimizer": "adamw",
        "weight_decay": 0.01, "warmup_ratio": 0.05, "scheduler": "cosine", "max_grad_norm": 1.0, "max_length": 128,
        "seed": 1, "early_stopping_patience": 0, "early_stopping_min_delta": 0.0, "eval_steps": 1000, "save_steps": 1000,
        "lora": None,
    }  # fmt: skip
    data = {"train": str(folder / "train.parquet"), "validation": None}
    train = {"base_model": starter, "data": data, "method": "full", "hyperparameters": settings}
    engine("train", folder / "run", train)
    tuned = {"name": "tuned", "path": str(folder / "run" / "model"), "base_path": None}
    limits = {"max_rows": ROWS, "max_new_tokens": 24, "seed": 0}
    data = {"test": str(folder / "test.parquet")}
    engine("evaluate", folder / "verdict", {"base_model": starter, "tuned_model": tuned, "data": data, **limits})
    return {side: read_statistics(folder / "verdict" / NAME, side) for side in ("base", "tuned")}


def planted(rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Exact matches of two systems: each row turns right or wrong with its own chance."""
    base = (rng.random(ROWS) < BASE_RIGHT).astype(float)
    places = rng.permutation(ROWS)
    right, wrong = round(RIGHT * ROWS), round(WRONG * ROWS)
    base[places[:right]], base[places[right : right + wrong]] = 0.0, 1.0
    tuned = base.copy()
    tuned[places[:right]], tuned[places[right : right + wrong]] = 1.0, 0.0
    ones = np.ones(ROWS)
    return np.column_stack([base, ones]), np.column_stack([tuned, ones])


def null(
    base: dict[str, Numbers], tuned: dict[str, Numbers], *, trials: int, seed: int, together: int = 1
) -> dict[str, dict[str, Any]]:
    """By metric: how often each verdict is said when both systems are the same but for chance.

    `together` rows that follow each other are one group and swap as one.
    """
    rng = np.random.default_rng(seed)
    rows = len(next(iter(base.values())))
    groups = np.arange(rows) // together
    said = {name: {"better": 0, "worse": 0, "no_difference": 0} for name in base}
    for trial in range(trials):
        swapped = (rng.random(int(groups[-1]) + 1) < 0.5)[groups]
        one = {name: np.where(swapped[:, None], tuned[name], base[name]) for name in base}
        other = {name: np.where(swapped[:, None], base[name], tuned[name]) for name in base}
        for name, found in compare(one, other, seed=seed + trial, groups=groups.tolist()).items():
            said[name][found.said] += 1
    differing = {name: int((base[name] != tuned[name]).any(axis=1).sum()) for name in base}
    return {
        name: {**counts, "share": 1 - counts["no_difference"] / trials, "rows_that_differ": differing[name]}
        for name, counts in said.items()
    }


def power(*, draws: int, seed: int) -> dict[str, Any]:
    """How often the planted gain is found."""
    rng = np.random.default_rng(seed)
    said = []
    for draw in range(draws):
        base, tuned = planted(rng)
        rows = rng.integers(ROWS, size=ROWS)  # another test set each time, so that the gain itself varies
        found = compare({"exact_match": base[rows]}, {"exact_match": tuned[rows]}, seed=seed + draw)["exact_match"]
        said.append(found.said)
    return {"draws": draws, "found": said.count("better") / draws, "worse": said.count("worse")}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--only", choices=("answers", "labels"))
    given = parser.parse_args()
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if given.only else {}
    if given.only != "labels":
        found |= on_answers(given)
    if given.only != "answers":
        found |= {"labelled": on_labels(given)}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def on_labels(given: argparse.Namespace) -> dict[str, Any]:
    """Accuracy and macro-F1, with rows that stand for themselves and in groups."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        stored = evaluated(Path(folder), labelled_rows_of)
    base, tuned = ({name: stored[side][name] for name in LABELLED} for side in ("base", "tuned"))
    measured = time.monotonic()
    return {
        "rows": ROWS,
        "labels": len(THINGS),
        "together": TOGETHER,
        "accuracy": {side: float(mean(stored[side]["accuracy"].sum(axis=0))) for side in ("base", "tuned")},
        "null": null(base, tuned, trials=given.trials, seed=given.seed),
        "grouped_null": null(base, tuned, trials=given.trials, seed=given.seed, together=TOGETHER),
        "seconds": {
            "evaluation": round(measured - began, 1),
            "trials": round(time.monotonic() - measured, 1),
        },
    }


def on_answers(given: argparse.Namespace) -> dict[str, Any]:
    """Every metric on answers that are sentences, a planted gain under the null, and the power to find it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        stored = evaluated(Path(folder), rows_of)
    measured = time.monotonic()
    base, tuned = planted(np.random.default_rng(given.seed))
    stored["base"][PLANTED], stored["tuned"][PLANTED] = base, tuned
    return {
        "rows": ROWS,
        "resamples": RESAMPLES,
        "fewest_that_differ": FEWEST_DIFFERENT,
        "trials": given.trials,
        "null": null(stored["base"], stored["tuned"], trials=given.trials, seed=given.seed),
        "power": power(draws=given.draws, seed=given.seed),
        "seconds": {
            "evaluation": round(measured - began, 1),
            "trials": round(time.monotonic() - measured, 1),
        },
    }


if __name__ == "__main__":
    main()
