"""Eight banking77 classes, about 800 rows, three epochs, all else default, through the `openai` client alone.

`REAL_DATA_DIR=… python bench/banking.py [--draws 3]` → bench/results/banking.json. Each draw takes other classes.
Bar: at most 5 minutes from upload to a model that answers, at least 80 % right labels on rows not trained on.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import openai
from studio import Studio

RESULTS = Path(__file__).with_name("results") / "banking.json"
CLASSES, ROWS, ASKED = 8, 800, 160


def draw(folder: Path, seed: int) -> tuple[bytes, list[tuple[str, str]]]:
    """A training file in OpenAI's format, and held-out (text, label) pairs from the set's own test file."""
    rng = random.Random(seed)
    rows = {
        name: list(csv.DictReader((folder / name).open(newline="", encoding="utf-8")))
        for name in ("train.csv", "test.csv")
    }
    classes = set(rng.sample(sorted({row["category"] for row in rows["train.csv"]}), CLASSES))
    train = [row for row in rows["train.csv"] if row["category"] in classes]
    test = [(row["text"], row["category"]) for row in rows["test.csv"] if row["category"] in classes]
    rng.shuffle(train)
    rng.shuffle(test)
    lines = [
        json.dumps(
            {"messages": [{"role": "user", "content": row["text"]}, {"role": "assistant", "content": row["category"]}]}
        )
        for row in train[:ROWS]
    ]
    return "\n".join(lines).encode(), test[:ASKED]


def fine_tune(client: openai.OpenAI, data: bytes) -> tuple[str, float]:
    """The fine-tuned model's name, and the seconds from upload until the job succeeded."""
    start = time.monotonic()
    file = client.files.create(file=("banking.jsonl", io.BytesIO(data)), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="studio-starter-1",
        training_file=file.id,
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    )
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(1)
        job = client.fine_tuning.jobs.retrieve(job.id)
    if job.status != "succeeded" or job.fine_tuned_model is None:
        raise RuntimeError(f"the job {job.status}: {job.error}")
    return job.fine_tuned_model, time.monotonic() - start


def right(client: openai.OpenAI, model: str, row: tuple[str, str]) -> bool:
    """Whether the greedy answer is the label."""
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": row[0]}], temperature=0, max_tokens=24
    )
    return (answer.choices[0].message.content or "").strip() == row[1]


def main() -> None:
    """Run the draws and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=3)
    options = parser.parse_args()
    folder = os.environ.get("REAL_DATA_DIR")
    if not folder:
        sys.exit("REAL_DATA_DIR is not set: this benchmark needs banking77.")
    draws = []
    with Studio() as studio:
        client = openai.OpenAI(base_url=f"{studio.url}/v1", api_key=studio.key, timeout=60)
        for seed in range(options.draws):
            data, test = draw(Path(folder) / "banking77", seed)
            model, seconds = fine_tune(client, data)
            with ThreadPoolExecutor(8) as pool:
                hits = list(pool.map(partial(right, client, model), test))
            draws.append(
                {
                    "seed": seed,
                    "rows": data.count(b"\n") + 1,
                    "seconds": round(seconds, 1),
                    "right": sum(hits) / len(hits),
                }
            )
            print(draws[-1], flush=True)
    result = {
        "draws": draws,
        "median_right": statistics.median(each["right"] for each in draws),
        "median_seconds": statistics.median(each["seconds"] for each in draws),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
