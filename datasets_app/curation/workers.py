"""The first pass in several processes: chunks go out, what became of them comes back in order. Knows no step.

Workers are spawned, so that they share nothing; they end with the run, with their parent, or with a refusal.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from datasets_app.curation.errors import Refusal
from datasets_app.curation.firstpass import Chunk, FirstPass, Passed
from datasets_app.curation.recipe import Recipe, parse_recipe
from datasets_app.curation.steps import Known

MOST = 4
BYTES_A_PROCESS = 2 << 20  # below that a process takes longer to start than to work
AHEAD = 2
_PR_SET_PDEATHSIG = 1
_pass: FirstPass | None = None


def fitting(size: int) -> int:
    """How many processes pay for `size` bytes of files: one, or as many as there are cores, two to four."""
    cores = min(MOST, len(os.sched_getaffinity(0)))
    return max(1, min(cores, size // BYTES_A_PROCESS))


def _begin(recipe: dict[str, object], known: Known, parent: int) -> None:
    global _pass
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a pool that broke ends its other workers so
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    _pass = FirstPass(parse_recipe(recipe), known)


def _run(chunk: Chunk) -> Passed:
    assert _pass is not None  # noqa: S101 - _begin ran first
    return _pass.run(chunk)


class Workers:
    """`with Workers(recipe, known, processes) as workers: workers.map(chunks)`; one process means this one."""

    def __init__(self, recipe: Recipe, known: Known, processes: int) -> None:
        self.recipe, self.known, self.processes = recipe, known, processes
        self._first = FirstPass(recipe, known) if processes == 1 else None
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        if self.processes > 1:
            self._pool = ProcessPoolExecutor(
                self.processes,
                mp_context=get_context("spawn"),
                initializer=_begin,
                initargs=(self.recipe.as_json(), self.known, os.getpid()),
            )
        return self

    def __exit__(self, *_error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Passed]]:
        """What became of each chunk, in order. Raises Refusal where a process was ended from outside."""
        if self._pool is None:
            first = self._first or FirstPass(self.recipe, self.known)
            yield from ((chunk, first.run(chunk)) for chunk in chunks)
            return
        waiting: deque[tuple[Chunk, Future[Passed]]] = deque()
        for chunk in chunks:
            waiting.append((chunk, self._submitted(self._pool, chunk)))
            if len(waiting) > AHEAD * self.processes:
                yield self._next(waiting)
        while waiting:
            yield self._next(waiting)

    def _submitted(self, pool: ProcessPoolExecutor, chunk: Chunk) -> Future[Passed]:
        try:
            return pool.submit(_run, chunk)
        except BrokenProcessPool as error:
            raise _ended() from error

    def _next(self, waiting: deque[tuple[Chunk, Future[Passed]]]) -> tuple[Chunk, Passed]:
        chunk, future = waiting.popleft()
        try:
            return chunk, future.result()
        except BrokenProcessPool as error:
            raise _ended() from error


def _ended() -> Refusal:
    return Refusal(
        code="worker_ended",
        message="A process of this run was ended from outside, most likely because memory ran out, or its time.",
        fix="Run it again with fewer processes; nothing was written.",
    )
