"""What a run leaves behind, in the bucket where there is one: its checkpoints beside the training, its files at its ends.

Training never waits for it: a thread copies what is sealed, and what it was too slow for is copied when the engine has ended.
"""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from gptstudio.core import storage
from gptstudio.core.storage import StorageTrouble
from training_app.engine.checkpoints import PREFIX, SEAL
from training_app.models import FineTuningJob

OWN = ("checkpoints", "model")  # these have copies of their own
OF_THE_MACHINE = ("spec.json", "events.jsonl", "lock", "stderr", "stdout")  # `is_foreign` asks whose the spec is
PAUSE_SECONDS = 30.0  # after a bucket that did not take it


def _sealed(folder: Path) -> list[str]:
    """Names of the checkpoints that are whole, the oldest first."""
    names = [path.parent.name for path in folder.glob(f"{PREFIX}*/{SEAL}")]
    return sorted((name for name in names if _step(name)), key=_step)


def _step(name: str) -> int:
    number = name.removeprefix(PREFIX)
    return int(number) if number.isdigit() else 0


def _to_read(folder: Path) -> list[Path]:
    """The files of a run folder that are looked at later."""
    return [
        path
        for inner, path in storage.files_below(folder).items()
        if inner.partition("/")[0] not in OWN
        and path.name not in OF_THE_MACHINE
        and not path.name.startswith(".")
        and path.suffix != ".tmp"
    ]


class Copies:
    """Of one run on this machine. `trouble` is the sentence why the last try failed; empty after one that did not."""

    def __init__(self, job: FineTuningJob) -> None:
        self._stored, self._checkpoints, self._folder = job.stored, job.stored_checkpoints, job.folder
        self._doing: Future[None] | None = None
        self._done: set[str] = set()
        self._tried_at = float("-inf")
        self.trouble = ""

    @property
    def _here(self) -> Path:
        return self._folder / "checkpoints"

    def bring(self, *, checkpoints: bool) -> None:
        """Before an engine starts: fetch what other machines left of the run, where they came further. StorageTrouble."""
        storage.current(self._stored)
        if not checkpoints:
            return
        there, here = storage.names(self._checkpoints), _sealed(self._here)
        self._done = there & set(here)
        if max(map(_step, there), default=0) > max(map(_step, here), default=0):
            for name in there - set(here):
                shutil.rmtree(self._here / name, ignore_errors=True)  # one without a seal
                storage.fetched(f"{self._checkpoints}/{name}", self._here / name)
            self._done = there

    def is_foreign(self, phase: Path, *, last_attempt: int) -> bool:
        """Whether the last attempt of a phase ran on another machine. Then this one's events are none of it, and go."""
        try:
            mine = int(json.loads((phase / "spec.json").read_text(encoding="utf-8"))["attempt"])
        except (OSError, ValueError, KeyError):
            mine = 0
        if mine < last_attempt:
            (phase / "events.jsonl").unlink(missing_ok=True)
        return mine < last_attempt

    def tick(self) -> None:
        """Begin to copy what is sealed since, unless that is under way or failed just now."""
        if self._doing is not None and self._doing.done():
            self._end()
        is_time = time.monotonic() - self._tried_at >= PAUSE_SECONDS or not self.trouble
        if storage.is_set() and self._doing is None and is_time and set(_sealed(self._here)) - self._done:
            self._tried_at = time.monotonic()
            threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="copies")
            self._doing = threads.submit(self._copy)
            threads.shutdown(wait=False)

    def finish(self, *, checkpoints: bool) -> None:
        """Once the engine has ended: what is under way is waited for, then the rest is copied."""
        if self._doing is not None:
            doing = self._doing
            storage.carried(lambda: doing.exception())
            self._end()
        try:
            if checkpoints and set(_sealed(self._here)) - self._done:
                storage.carried(self._copy)
            else:
                storage.keep_anew(self._stored, _to_read(self._folder))
            self.trouble = ""
        except StorageTrouble as trouble:
            self.trouble = str(trouble)

    def _end(self) -> None:
        doing, self._doing = self._doing, None
        try:
            if doing is not None:
                doing.result()
            self.trouble = ""
        except StorageTrouble as trouble:
            self.trouble = str(trouble)

    def _copy(self) -> None:
        """The oldest first: one that remembers another as the best is whole only with it. Those that are gone here go last."""
        there = storage.names(self._checkpoints)
        for name in _sealed(self._here):
            if name not in there:
                try:
                    storage.keep(f"{self._checkpoints}/{name}", self._here / name)
                except FileNotFoundError:  # newer ones took its place
                    continue
                there.add(name)
        sealed = set(_sealed(self._here))
        if sealed & there:
            for name in there - sealed:
                storage.let_go(f"{self._checkpoints}/{name}")
        self._done = there | sealed
        with suppress(FileNotFoundError):  # renamed meanwhile: the next copy has it
            storage.keep_anew(self._stored, _to_read(self._folder))
