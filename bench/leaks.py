"""Leaks on adversarial sets, counted by brute force: rows that were over-sampled before the upload, shared openings.

`REAL_DATA_DIR=… python bench/leaks.py` → bench/results/leaks.json. Each set is curated and split by the studio; the peer
shuffles the same rows and cuts off the same shares, as fine-tuning tools do that merge and then split. A held-out row
leaks when some training row has the same opening, or a text whose words and word pairs are alike to 0.7 (Jaccard). Both
are looked for among all pairs, by a matrix product that shares no code with the studio. Bar: 0 rows.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from scipy.sparse import csr_matrix

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "leaks.json"
SPLITS = ("train", "validation", "test")
ALIKE = 0.7
COPIES = 5
Messages = list[dict[str, str]]


def _sharegpt(path: Path) -> list[Messages]:
    roles = {"human": "user", "gpt": "assistant"}
    turns = [each["conversations"] for each in json.loads(path.read_text(encoding="utf-8"))]
    return [[{"role": roles[turn["from"]], "content": turn["value"]} for turn in each] for each in turns]


def _lines(path: Path) -> list[Messages]:
    return [json.loads(line)["messages"] for line in path.open(encoding="utf-8")]


def _banking(path: Path) -> list[Messages]:
    table = [line.rsplit(",", 1) for line in path.read_text(encoding="utf-8").splitlines()[1:] if '"' not in line]
    return [
        [{"role": "user", "content": text}, {"role": "assistant", "content": label}]
        for text, label in (each for each in table if len(each) == 2)
    ]


def over_sampled(rows: list[Messages], rng: random.Random) -> list[Messages]:
    """A third of the rows comes again up to COPIES times, some of them with a word more."""
    more = []
    for row in rng.sample(rows, len(rows) // 3):
        for number in range(rng.randint(1, COPIES)):
            said = row[0]["content"] + (" please" if number % 2 else "")
            more.append([{**row[0], "content": said}, *row[1:]])
    return [*rows, *more]


def sets(data: Path) -> dict[str, list[Messages]]:
    """The sets by name."""
    rng = random.Random(3)
    oasst = _lines(data / "chat/oasst_en_messages.jsonl")
    fastchat = _sharegpt(data / "chat/fastchat_dummy_sharegpt.json")
    banking = rng.sample(_banking(data / "banking77/train.csv"), 2000)
    return {
        "oasst, shared openings": oasst,
        "oasst, over-sampled": over_sampled(oasst, rng),
        "fastchat": fastchat,
        "fastchat, over-sampled": over_sampled(fastchat, rng),
        "banking77, over-sampled": over_sampled(banking, rng),
    }


def _features(rows: list[Messages]) -> tuple[csr_matrix, np.ndarray]:
    """A row of ones for each text's words and word pairs; and how many those are."""
    known: dict[str, int] = {}
    places, ends = [], [0]
    for row in rows:
        words = re.findall(r"\w+", " ".join(turn["content"] for turn in row).lower())
        members = {*words, *(f"{one} {two}" for one, two in pairwise(words))} or {"\0"}
        places += [known.setdefault(each, len(known)) for each in members]
        ends.append(len(places))
    matrix = csr_matrix((np.ones(len(places), dtype=np.int32), places, ends), shape=(len(rows), len(known)))
    return matrix, np.diff(ends)


def leaking(train: list[Messages], held: list[Messages]) -> int:
    """How many held-out rows have a near-copy, or a row with their opening, in train."""
    matrix, sizes = _features(train + held)
    shared = (matrix[len(train) :] @ matrix[: len(train)].T).toarray()
    union = sizes[len(train) :, None] + sizes[None, : len(train)] - shared
    copied = (shared >= ALIKE * union).any(axis=1)
    openings = {row[0]["content"].strip().lower() for row in train}
    opened = np.array([row[0]["content"].strip().lower() in openings for row in held], dtype=bool)
    return int((copied | opened).sum())


def _studio(rows: list[Messages]) -> dict[str, list[Messages]]:
    with tempfile.TemporaryDirectory(prefix="leaks-") as name:
        folder = Path(name)
        (folder / "rows.jsonl").write_text(
            "".join(json.dumps({"messages": row}) + "\n" for row in rows), encoding="utf-8"
        )
        steps = [{"kind": kind} for kind in ("normalize", "exact_duplicates", "near_duplicates", "split")]
        (folder / "recipe.json").write_text(json.dumps({"version": 1, "steps": steps}), encoding="utf-8")
        command = [sys.executable, "-m", "datasets_app.curation", "run", "--recipe", str(folder / "recipe.json")]
        command += ["--in", str(folder / "rows.jsonl"), "--out", str(folder / "out")]
        subprocess.run(command, check=True, cwd=HERE.parent, stdout=subprocess.DEVNULL)
        return {
            split: pq.read_table(folder / "out" / f"{split}.parquet", columns=["messages"])["messages"].to_pylist()
            for split in SPLITS
        }


def _shuffled(rows: list[Messages]) -> dict[str, list[Messages]]:
    mixed = random.Random(4).sample(rows, len(rows))
    first, second = int(0.8 * len(mixed)), int(0.9 * len(mixed))
    return {"train": mixed[:first], "validation": mixed[first:second], "test": mixed[second:]}


def _counted(splits: dict[str, list[Messages]]) -> dict[str, Any]:
    held = splits["validation"] + splits["test"]
    return {
        "train": len(splits["train"]),
        "held_out": len(held),
        "leaks": leaking(splits["train"], held) if held else 0,
    }


def main() -> int:
    """Write the result and print it; 1 when a row leaks."""
    data = Path(os.environ["REAL_DATA_DIR"])
    result = {
        name: {"rows": len(rows), "studio": _counted(_studio(rows)), "shuffled": _counted(_shuffled(rows))}
        for name, rows in sets(data).items()
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return int(any(each["studio"]["leaks"] for each in result.values()))


if __name__ == "__main__":
    sys.exit(main())
