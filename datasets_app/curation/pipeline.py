"""The whole recipe, in the order that cannot leak: read, tidy, hide, copies, groups, split, tokens, write, check.

Memory grows by some 600 bytes a row (labels, groups, signatures), whatever its length; texts lie on disk, and the leak
check takes them block by block.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from datasets_app.curation.errors import Refusal
from datasets_app.curation.findings import FINDINGS, Findings
from datasets_app.curation.firstpass import built
from datasets_app.curation.grouping import Gathered, Given
from datasets_app.curation.identity import closed
from datasets_app.curation.largest import largest
from datasets_app.curation.ledger import Ledger
from datasets_app.curation.near import Sketches
from datasets_app.curation.output import check_output
from datasets_app.curation.pii.canaries import planted, recall
from datasets_app.curation.pii.hider import Hider
from datasets_app.curation.pii.keys import Keys, secret_of
from datasets_app.curation.placing import placed
from datasets_app.curation.quality.measure import measured
from datasets_app.curation.readers.source import Source
from datasets_app.curation.readers.upload import opened
from datasets_app.curation.reading import Log, Reader
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.report import report_of
from datasets_app.curation.secondpass import Progress, SecondPass, tokenizer_of
from datasets_app.curation.splits import NAMES, TEST, TRAIN
from datasets_app.curation.steps import Known
from datasets_app.curation.surveys import check_server, survey
from datasets_app.curation.table import WORKING, Writer, places_in
from datasets_app.curation.workers import Workers, fitting
from datasets_app.curation.writing import Writing

ROWS, WORDS = "rows.parquet", "words.bin"
PROGRESS_ROWS = 500


class Pipeline:
    """One run. `run()` leaves train, validation and test.parquet, ledger.parquet and report.json in `out`.

    processes: how many read; None lets the size of the files decide. The result is the same. languagetool_url: the only
    address that a step may ask, where the recipe wants it. secret: of the workspace, for stand-ins and digests; without
    one it is drawn from the files, so that who has them not can turn nothing back.
    """

    def __init__(
        self,
        recipe: Recipe,
        files: Sequence[Path],
        *,
        tokenizer: Path | None,
        progress: Progress,
        processes: int | None = None,
        languagetool_url: str | None = None,
        secret: bytes = b"",
    ) -> None:
        self.recipe, self.progress, self.languagetool_url = recipe, progress, languagetool_url
        check_server(recipe, languagetool_url)
        split = recipe.step("split")
        if split is None:
            raise Refusal(code="bad_recipe", message="The recipe does not split the rows.", fix="Add the split step.")
        self.given = Given(split)
        self._check_validation_files(files)
        self.files = self.given.first(files)
        self.tokenizer = tokenizer_of(recipe, tokenizer)
        self.processes = processes or fitting(sum(path.stat().st_size for path in files if path.exists()))
        self.secret = secret or secret_of(files)
        self.hider, self.log = Hider.of(recipe), Log()
        self.gathered = Gathered()
        self.seconds: dict[str, float] = defaultdict(float)

    def _check_validation_files(self, files: Sequence[Path]) -> None:
        missing = sorted(self.given.files - {path.name for path in files})
        if missing:
            message = f"The recipe names the validation file {missing[0]}, which is not among the files."
            raise Refusal(code="bad_recipe", message=message, fix="Add the file, or take its name out of the recipe.")

    def run(self, out: Path, *, beside: Callable[[Path], None] | None = None) -> str:
        """Returns the digest. Raises Refusal; nothing is left behind then. An earlier run in `out` is replaced.

        `beside` puts more into the folder of what was made before anybody sees it.
        """
        check_output(out, self.files)
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".curating-", dir=out.parent))
        try:
            digest = self._run(staging)
            for name in (ROWS, WORDS):
                (staging / name).unlink()
            if beside is not None:
                beside(staging)
            if out.exists():
                shutil.rmtree(out)
            os.replace(staging, out)
        except OSError as error:
            raise _disk(error) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return digest

    def _run(self, staging: Path) -> str:
        with Ledger(staging / "ledger.parquet", self.hider) as ledger:
            with Sketches(staging / WORDS) as sketches:
                reader = self._read(staging, ledger, sketches)
                second = SecondPass(
                    self.recipe, self.gathered, staging / ROWS, timed=self._timed, progress=self.progress
                )
                second.find_near_copies(sketches)
            writing = second.finish(ledger, tokenizer=self.tokenizer)
        if not writing.counts["train"]:
            raise _nothing_left(None, ledger)
        grouping, near = second.grouping, second.grouping.members()
        reader.tally.without(places_in(staging / f"{NAMES[TEST]}.parquet"))
        digest = closed(writing.digest, self.recipe, ledger.reasons)
        report = report_of(
            self.recipe,
            reader,
            writing,
            ledger,
            leaks=second.measured(),  # afresh, as written
            canaries=self._canaries(digest),
            quality=self._quality(staging, writing),
            near=[len(rows) for rows in near.values()],
            largest=largest(staging / ROWS, near, splits=grouping.splits, hider=self.hider),
            seconds=self.seconds,
        )
        (staging / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
        return digest

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.seconds[name] += time.monotonic() - start

    def _read(self, staging: Path, ledger: Ledger, sketches: Sketches) -> Reader:
        with ExitStack() as stack:
            stack.enter_context(self._timed("read"))
            sources = self._open(stack)
            surveys = survey(self.recipe, sources, self.progress) | {
                "edits": placed(self.recipe, sources, Keys(self.secret))
            }
            known = Known(self.languagetool_url, surveys, self.secret)
            workers = stack.enter_context(Workers(self.recipe, known, self.processes))
            findings = stack.enter_context(Findings(staging / FINDINGS, Keys(self.secret)))
            writer = stack.enter_context(Writer(staging / ROWS, WORKING))
            reader = Reader(self.recipe, ledger, workers, self.log, findings=findings, on_refusal=self._broken_off)
            total, done = sum(source.size for source in sources), 0
            for source in sources:
                self._read_source(source, reader, writer, sketches, self._reading(done, total))
                done += source.size
            self.progress("read", total, total)
        if writer.count == 0:
            raise _nothing_left(reader, ledger)
        self.gathered.outdone = reader.copies.outdone
        return reader

    def _reading(self, before: int, total: int) -> Callable[[int], None]:
        return lambda done: self.progress("read", before + done, total)

    def _open(self, open_files: ExitStack) -> list[Source]:
        """What can be read of the files; the rest is noted in the report, and the run goes on."""
        sources: list[Source] = []
        for file in self.files:
            try:
                upload = open_files.enter_context(opened(file, self.recipe.readings))
            except Refusal as refusal:
                self._note(file.name, refusal, upload=file.name)
                continue
            sources += upload.sources
            for name, why in upload.refused:
                self._note(name, why, upload=file.name)
        return sources

    def _broken_off(self, source: Source, refusal: Refusal) -> None:
        self._note(source.name, refusal, upload=source.upload)

    def _note(self, name: str, refusal: Refusal, *, upload: str) -> None:
        """A refused file is no reason to give up the others, unless the recipe names it as the validation file."""
        if upload in self.given.files:
            raise refusal
        self.log.refuse(name, refusal)

    def _read_source(
        self, source: Source, reader: Reader, writer: Writer, sketches: Sketches, progress: Callable[[int], None]
    ) -> None:
        for row in reader.rows(source):
            if writer.count % PROGRESS_ROWS == 0:
                progress(source.place.done)
            given = self.given.of(row.kept.conversation, upload=source.upload)
            self.gathered.add(row.kept, sketches, given=given)
            writer.add(row.stored())

    def _canaries(self, digest: str) -> dict[str, Any]:
        """How much of planted personal data the step of this version hides; nothing where there is none."""
        step = self.recipe.step("personal_data")
        made = built(step, Known(secret=self.secret)) if step else None
        return recall(made, planted(Keys(self.secret), digest)) if made else {}

    def _quality(self, staging: Path, writing: Writing) -> dict[str, Any]:
        """How varied and even the training rows are and whom they speak of, on the file as it was written."""
        self.progress("quality", 0, 1)
        found = measured([staging / f"{NAMES[TRAIN]}.parquet"], before=writing.before)
        self.progress("quality", 1, 1)
        return found


def _disk(error: OSError) -> OSError | Refusal:
    """A full disk in words; anything else as it is."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return error
    message = "The disk is full, so the version could not be written. Nothing of it was kept."
    return Refusal(code="disk_full", message=message, fix="Make room and run it again.")


def _nothing_left(reader: Reader | None, ledger: Ledger) -> Refusal:
    """Why there is no training row; where not a single row could be read, what is wrong with the first file."""
    if reader is not None and reader.log.refusals and not reader.log.read:
        return reader.log.refusals[0]
    common = ledger.reasons.most_common(3)
    listed = ", ".join(f"{count:,} × {reason.replace('_', ' ')}" for reason, count in common)
    too_long = bool(common) and common[0][0] == "too_long"
    return Refusal(
        code="nothing_left",
        message=f"No row is left to learn from{f' ({listed})' if listed else ''}.",
        fix="Raise the limit of tokens, or choose a base model that needs fewer for the same text."
        if too_long
        else "Check which columns hold the question and the answer, and which steps drop rows.",
    )
