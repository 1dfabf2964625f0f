"""The whole recipe on chat rows of two sizes: seconds, memory of all its processes, and a pandas script beside it.

`python bench/curation_scale.py [--rows 10000 100000] [--no-names]` → bench/results/curation_scale.json. Bar: at most 1.5 GiB,
and time linear within 20 %. Exact copies are dropped. Near copies are found (`near`) and stay, all in one split: the step's
`keep` is `all` unless a recipe says otherwise, so that they stand under no reason of `dropped`. With `--rows 1000000
--no-names`, which leaves out the model of people's names, the long one.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "curation_scale.json"
STEPS = ("normalize", "personal_data", "exact_duplicates", "near_duplicates", "split")


def write_rows(path: Path, rows: int, *, seed: int = 11) -> None:
    """Chat rows of two to four turns: words as frequent as in speech (Zipf), mail addresses in one row of ten, one row
    of twenty repeated, one of twenty nearly repeated. Texts are cut from a stock of words that grows with them, so that
    by chance rows are as rarely alike among many as among few."""
    rng = random.Random(seed)
    letters = "abcdefghiklmnoprstuvw"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 10))) for _ in range(20_000)]
    weights = [1 / (place + 3) for place in range(len(words))]
    pool = rng.choices(words, weights, k=max(2_000_000, 20 * rows))

    def text(least: int, most: int) -> str:
        start, count = rng.randrange(len(pool) - most), rng.randint(least, most)
        return " ".join(pool[start : start + count])

    kept: list[list[dict[str, str]]] = []
    with path.open("w", encoding="utf-8") as file:
        for _ in range(rows):
            kind = rng.random()
            if kept and kind < 0.1:
                messages = [dict(each) for each in rng.choice(kept)]
                if kind < 0.05:
                    said = messages[0]["content"].split()
                    for place in rng.sample(range(len(said)), max(1, len(said) // 10)):
                        said[place] = rng.choice(words)
                    messages[0]["content"] = " ".join(said)
            else:
                messages = []
                for _turn in range(rng.randint(1, 2)):
                    messages += [
                        {"role": "user", "content": text(10, 40)},
                        {"role": "assistant", "content": text(10, 60)},
                    ]
                if kind > 0.9:
                    messages[0]["content"] += f" write to {rng.choice(words)}@example.com"
            if len(kept) < 50_000:
                kept.append(messages)
            file.write(json.dumps({"messages": messages}) + "\n")


def resident(pid: int) -> int:
    """Bytes that a process and its descendants hold; shared pages count once a process."""
    found, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        try:
            pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
            tasks = list(Path(f"/proc/{each}/task").iterdir())
            waiting += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except (OSError, ValueError):
            continue
        found += pages * 4096
    return found


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(command: list[str]) -> tuple[float, float, float]:
    """Seconds, seconds of CPU and the most GiB that a command and its children took."""
    start, most, before = time.monotonic(), 0, _cpu()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=HERE.parent) as process:

        def watch() -> None:
            nonlocal most
            while process.poll() is None:
                most = max(most, resident(process.pid))
                time.sleep(0.2)

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        watcher.join()
    if code:
        raise RuntimeError(f"{command} ended with {code}")
    return time.monotonic() - start, _cpu() - before, most / 2**30


def run(rows: int, folder: Path, steps: list[dict[str, object]], processes: int) -> dict[str, object]:
    """One run of the command line."""
    source, recipe, out = folder / f"{rows}.jsonl", folder / "recipe.json", folder / "out"
    write_rows(source, rows)
    recipe.write_text(json.dumps({"version": 1, "steps": steps}))
    command = [sys.executable, "-m", "datasets_app.curation", "run", "--processes", str(processes)]
    seconds, cpu, gib = measured([*command, "--recipe", str(recipe), "--in", str(source), "--out", str(out)])
    report = json.loads((out / "report.json").read_text())
    result: dict[str, object] = {"rows": rows, "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1)}
    near = {name: report["duplicates"][name] for name in ("near_clusters", "near_rows")}
    result |= {"gib": round(gib, 2), "splits": report["splits"], "dropped": report["rows"]["dropped"]}
    return result | {"near": near}


def main() -> None:
    """Measure every size, then the peer on the largest of at most 100,000 rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--no-names", action="store_true", help="personal data by shapes and words alone")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    names = {"options": {"names": not options.no_names}}
    steps = [{"kind": kind, **(names if kind == "personal_data" else {})} for kind in STEPS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs: list[dict[str, object]] = []
        result: dict[str, object] = {"steps": steps, "processes": options.processes, "runs": runs}
        for rows in options.rows:  # the long ones last; what was measured is kept whatever becomes of the next
            runs.append(run(rows, folder, steps, options.processes))
            print(runs[-1], flush=True)
            options.results.write_text(json.dumps(result, indent=1) + "\n")
        peer = [rows for rows in options.rows if rows <= 100_000]
        if peer:
            source = folder / f"{max(peer)}.jsonl"
            seconds, cpu, gib = measured(
                [sys.executable, str(HERE / "pandas_peer.py"), str(source), str(folder / "peer")]
            )
            result["peer"] = {
                "rows": max(peer),
                "seconds": round(seconds, 1),
                "cpu_seconds": round(cpu, 1),
                "gib": round(gib, 2),
            }
    options.results.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
