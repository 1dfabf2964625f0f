"""The row browser on a million rows: how long a page, a filter and a search of the text take, and the index before it.

Rows are made from a list of words with a fixed seed. Each question is asked many times with other values; the figure is
the 95th percentile of the time until the rows of the page are there, messages included; processor time beside it, which
other work on the machine does not stretch as much. `ROWS` sets the number of rows.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from datasets_app.curation.browsing.index import SPLITS, write_index  # noqa: E402
from datasets_app.curation.browsing.query import Wanted, page  # noqa: E402
from datasets_app.curation.browsing.rows import rows_at  # noqa: E402
from datasets_app.curation.table import SCHEMA  # noqa: E402

ROWS = int(os.environ.get("ROWS", "1000000"))
BATCH = 2000
TIMES = 40
BARS = {"page": 100, "filter": 100, "search": 1000}
RESULT = HERE / "results" / "row_browser.json"
LABELS = ("delivery", "refund", "invoice", "password", "contract")


def _words(rng: random.Random) -> list[str]:
    return ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 9))) for _ in range(20_000)]


def make(folder: Path) -> None:
    """A version's folder: nine tenths of the rows in training, the rest in test."""
    rng = random.Random(7)
    words = _words(rng)
    for split, start, stop in (("train", 0, ROWS * 9 // 10), ("validation", 0, 0), ("test", ROWS * 9 // 10, ROWS)):
        with pq.ParquetWriter(folder / f"{split}.parquet", SCHEMA) as writer:
            for first in range(start, stop, BATCH):
                rows = [_row(number, rng, words) for number in range(first, min(first + BATCH, stop))]
                writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))


def _row(number: int, rng: random.Random, words: list[str]) -> dict[str, object]:
    question, answer = (" ".join(rng.choices(words, k=rng.randint(6, 24))) for _ in range(2))
    mark = " [EMAIL]" if number % 17 == 0 else ""
    return {
        "row_id": number,
        "file": f"tickets-{number * 8 // ROWS}.csv",
        "row": number,
        "messages": [{"role": "user", "content": question + mark}, {"role": "assistant", "content": answer}],
        "label": LABELS[number % len(LABELS)],
        "group": f"g{number}",
        "cluster": number - number % 50 if number % 50 < 2 else number,
        "tokens": len(question.split()) + len(answer.split()),
    }


def timed(ask: Callable[[int], object]) -> dict[str, float]:
    """Milliseconds of TIMES questions, after one that is not counted: the middle, and 95 of 100 are faster."""
    ask(0)
    spans, worked = [], []
    for turn in range(1, TIMES + 1):
        start, processor = time.perf_counter(), time.process_time()
        ask(turn)
        spans.append(1000 * (time.perf_counter() - start))
        worked.append(1000 * (time.process_time() - processor))
    spans.sort()
    return {
        "median_ms": round(statistics.median(spans), 1),
        "p95_ms": round(spans[int(len(spans) * 0.95) - 1], 1),
        "processor_median_ms": round(statistics.median(worked), 1),
    }


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Every kind of question with other values each time."""
    rng = random.Random(11)
    words = _words(random.Random(7))
    filters = (
        lambda turn: Wanted(label=LABELS[turn % len(LABELS)]),
        lambda turn: Wanted(file=f"tickets-{turn % 8}.csv"),
        lambda turn: Wanted(mark="EMAIL", least=10 * (turn % 9)),
        lambda turn: Wanted(near_copies=True),
        lambda turn: Wanted(cluster=50 * turn),
    )

    def whole(wanted: Wanted, **options: object) -> None:
        found = page(folder, wanted, **options)  # type: ignore[arg-type]
        rows_at(folder, [(row["split"], row["place"]) for row in found.rows], columns=("messages", "part"))

    def anywhere() -> str:
        number = rng.randrange(ROWS)
        return f"{number}:{number}"

    return {
        "page": timed(lambda turn: whole(Wanted(), after=anywhere())),
        "page, longest first": timed(lambda turn: whole(Wanted(), sort="longest", after=f"{400 - turn}:{turn}")),
        "filter": timed(lambda turn: whole(filters[turn % len(filters)](turn))),
        "search": timed(lambda turn: whole(Wanted(text=" ".join(rng.choices(words, k=1 + turn % 2))))),
        "search, nothing found": timed(lambda turn: whole(Wanted(text=f"nothing {turn} like this"))),
    }


def main() -> None:
    """Write `bench/results/row_browser.json`."""
    with tempfile.TemporaryDirectory(prefix="row-browser-") as name:
        folder = Path(name)
        make(folder)
        start = time.perf_counter()
        write_index(folder)
        took = time.perf_counter() - start
        sizes = {path.stem: path.stat().st_size for path in folder.glob("*.parquet")}
        result = {
            "rows": ROWS,
            "bars_ms": BARS,
            "index_seconds": round(took, 1),
            "index_mb": round(sum(size for name, size in sizes.items() if name.startswith("index")) / 1e6, 1),
            "rows_mb": round(sum(sizes[split] for split in SPLITS) / 1e6, 1),
            "asked": measure(folder),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
