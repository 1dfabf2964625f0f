"""Curation by command line: `detect FILE`, `preview` and `run --recipe R.json --in FILE…`, `scan --in FILE`; over what
runs left: `leaks`, `quality`, `drift`.

Standard output carries JSON alone. Exit 0: done; 2: refused, with a sentence; 3: stopped by SIGTERM; 4: out of memory.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Processes share the cores. Threads of small products wait for each other: ten times slower on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from datasets_app.curation.errors import Refusal


class _Stopped(Exception):
    """SIGTERM came."""


_stops = threading.Event()


def _stop(*_signal: object) -> None:
    _stops.set()  # an exception that is raised inside a destructor is lost; the next progress raises it again
    raise _Stopped


def _say(**line: Any) -> None:
    print(json.dumps(line, ensure_ascii=True), flush=True)


class _Progress:
    """At most four times a second, and always for a new step: a bar on a terminal, JSON lines for everybody else."""

    def __init__(self) -> None:
        self.last, self.step = 0.0, ""

    def __call__(self, step: str, done: int, total: int) -> None:
        if _stops.is_set():
            raise _Stopped
        now = time.monotonic()
        if step == self.step and done < total and now - self.last < 0.25:
            return
        if sys.stderr.isatty():
            self._draw(step, done / max(1, total))
        if not sys.stdout.isatty():
            _say(kind="progress", step=step, done=done, total=total)
        self.last, self.step = now, step

    def _draw(self, step: str, share: float) -> None:
        start = "\r" if step == self.step or not self.step else "\n"
        print(f"{start}{step:18} [{'#' * int(share * 30):30}] {share:4.0%}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line of the bar."""
        if self.step and sys.stderr.isatty():
            print(file=sys.stderr)


def _detect(options: argparse.Namespace) -> None:
    from datasets_app.curation.detect import detect
    from datasets_app.curation.readers.options import reading_from_json

    try:
        given = {part: getattr(options, part) for part in ("encoding", "delimiter", "header", "sheet")}
        print(json.dumps(detect(options.file, reading=reading_from_json(given)), ensure_ascii=True))
    except Refusal as refusal:
        print(json.dumps({"error": refusal.sentence}))
        raise


def _run(options: argparse.Namespace) -> None:
    from datasets_app.curation.browsing.beside import write_beside
    from datasets_app.curation.pipeline import Pipeline
    from datasets_app.curation.recipe import load_recipe

    progress = _Progress()
    try:
        recipe = load_recipe(options.recipe)
        pipeline = Pipeline(
            recipe,
            options.files,
            tokenizer=options.tokenizer,
            progress=progress,
            processes=options.processes,
            languagetool_url=os.environ.get("LANGUAGETOOL_URL") or None,
            secret=os.environ.get("CURATION_SECRET", "").encode(),
        )
        digest = pipeline.run(options.out, beside=write_beside if options.index else None)
        progress.end()
        _say(kind="finished", digest=digest)
    except Refusal as refusal:
        progress.end()
        _say(kind="failed", code=refusal.code, message=refusal.message, fix=refusal.fix)
        raise


def _preview(options: argparse.Namespace) -> None:
    from datasets_app.curation.preview import Preview
    from datasets_app.curation.recipe import load_recipe

    try:
        look = Preview(
            load_recipe(options.recipe),
            options.files,
            rows=options.rows,
            seed=options.seed,
            tokenizer=options.tokenizer,
            languagetool_url=os.environ.get("LANGUAGETOOL_URL") or None,
            secret=os.environ.get("CURATION_SECRET", "").encode(),
        )
        print(json.dumps(look.report(), ensure_ascii=True))
    except Refusal as refusal:
        print(json.dumps({"error": refusal.sentence}))
        raise


def _scan(options: argparse.Namespace) -> None:
    from datasets_app.curation.scan import scan

    for finding in scan(options.file, field=options.field, group=options.group):
        _say(**finding)


def _leaks(options: argparse.Namespace) -> None:
    from datasets_app.curation.crosscheck import cross_check

    print(json.dumps(cross_check(options.train, options.held_out, threshold=options.threshold), ensure_ascii=True))


def _quality(options: argparse.Namespace) -> None:
    from datasets_app.curation.quality.measure import measured
    from datasets_app.curation.table import checked_count

    for path in options.train:
        checked_count(path)
    print(json.dumps(measured(options.train), ensure_ascii=True))


def _drift(options: argparse.Namespace) -> None:
    from datasets_app.curation.browsing.drift import drift_between

    print(json.dumps(asdict(drift_between(options.old, options.new)), ensure_ascii=True))


def _count(text: str) -> int:
    """A number of processes."""
    count = int(text)
    if not 1 <= count <= 64:
        raise argparse.ArgumentTypeError("it lies between 1 and 64")
    return count


def _sampled(text: str) -> int:
    """A number of rows."""
    count = int(text)
    if not 1 <= count <= 100_000:
        raise argparse.ArgumentTypeError("it lies between 1 and 100,000")
    return count


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m datasets_app.curation", description=__doc__)
    commands = parser.add_subparsers(required=True)
    detect = commands.add_parser("detect", help="what a file holds")
    detect.add_argument("file", type=Path)
    detect.add_argument("--encoding", help="read the file in this encoding, such as cp1252 or big5")
    detect.add_argument("--delimiter", help="the sign between columns, or tab, comma, semicolon, pipe")
    detect.add_argument("--header", type=int, help="the line that names the columns, from 1; 0: none does")
    detect.add_argument("--sheet", help="the sheet of a workbook")
    detect.set_defaults(command=_detect)
    run = commands.add_parser("run", help="curate files by a recipe")
    run.add_argument("--recipe", type=Path, required=True)
    run.add_argument("--in", dest="files", type=Path, nargs="+", required=True, metavar="FILE")
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--tokenizer", type=Path, help="a folder with tokenizer files, instead of the recipe's")
    run.add_argument("--processes", type=_count, help="how many read; left out, the size of the files decides")
    run.add_argument("--index", action="store_true", help="also make the index that the browser of rows reads")
    run.set_defaults(command=_run)
    preview = commands.add_parser("preview", help="what a recipe would do, on a sample of the rows")
    preview.add_argument("--recipe", type=Path, required=True)
    preview.add_argument("--in", dest="files", type=Path, nargs="+", required=True, metavar="FILE")
    preview.add_argument("--rows", type=_sampled, default=2_000, help="how many rows to look at")
    preview.add_argument("--seed", type=int, default=0)
    preview.add_argument("--tokenizer", type=Path, help="a folder with tokenizer files, instead of the recipe's")
    preview.set_defaults(command=_preview)
    scan = commands.add_parser("scan", help="find personal data")
    scan.add_argument("--in", dest="file", type=Path, required=True)
    scan.add_argument("--field", help="look into this column only")
    scan.add_argument("--group", help="the conversation column; rows lie in turn order")
    scan.set_defaults(command=_scan)
    leaks = commands.add_parser("leaks", help="held-out rows that have a near-duplicate in the training rows")
    leaks.add_argument("--train", type=Path, nargs="+", required=True, metavar="PARQUET")
    leaks.add_argument("--held-out", type=Path, nargs="+", required=True, metavar="PARQUET")
    leaks.add_argument("--threshold", type=float, default=0.7)
    leaks.set_defaults(command=_leaks)
    quality = commands.add_parser("quality", help="how varied and even training rows are, and whom they speak of")
    quality.add_argument("--train", type=Path, nargs="+", required=True, metavar="PARQUET")
    quality.set_defaults(command=_quality)
    drift = commands.add_parser("drift", help="how the whole moved from one run to another")
    drift.add_argument("--old", type=Path, required=True, metavar="DIR")
    drift.add_argument("--new", type=Path, required=True, metavar="DIR")
    drift.set_defaults(command=_drift)
    return parser


def main() -> int:
    """Run one command."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, _stop)
    try:
        options.command(options)
    except _Stopped:
        return 3
    except Refusal as refusal:  # run, preview and detect also say it on their standard output
        print(refusal.sentence, file=sys.stderr)
        return 2
    except MemoryError:
        print("There is not enough memory for these files. Use smaller ones.", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
