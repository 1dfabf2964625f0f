"""The engine thread: steps every model that has work, in turn, and hands events to the event loop in batches."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque

import torch

from serving_app.engine.embedding import Embedding
from serving_app.engine.metrics import Metrics
from serving_app.engine.registry import ServedModel
from serving_app.engine.requests import Event, Request
from serving_app.engine.scheduler import Scheduler
from serving_app.engine.threads import ThreadChoice

log = logging.getLogger(__name__)

# Requests for embeddings that are worked on in turn. Those behind them hold no vectors yet.
IN_TURN = 8


class Stepper:
    """One thread for all models, so that they never fight over cores. It never waits for the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, metrics: Metrics, *, threads: int, positions: int) -> None:
        self._loop = loop
        self._metrics = metrics
        self._threads = threads
        self._choices: dict[Scheduler, ThreadChoice] = {}
        self._positions = positions
        # A model and the adapters beside it share a scheduler. Replaced as a whole: others read it without the lock.
        self._families: dict[Scheduler, tuple[ServedModel, ...]] = {}
        self._embeddings: deque[Embedding] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._problem = ""
        self._progress = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin stepping."""
        self._thread.start()

    def add(self, served: ServedModel) -> None:
        """Take up a model; a removed one leaves by itself once it is idle."""
        with self._lock:
            family = self._families.get(served.scheduler, ())
            if served not in family:
                self._families = {**self._families, served.scheduler: (*family, served)}
                self._metrics.load(served.name, running=0, waiting=0, cache=0)

    def drop(self, served: ServedModel) -> None:
        """Finish what a model is writing, then let go of it."""
        served.retired.set()
        self._wake.set()

    def submit(self, served: ServedModel, request: Request) -> None:
        """Queue a request and wake the thread."""
        if served.scheduler.idle and not self.busy:
            self._progress = time.monotonic()
        served.scheduler.submit(request)
        self._wake.set()

    def embed(self, work: Embedding) -> None:
        """Queue texts to be embedded: a piece of one request is done between steps, in turn."""
        if not self.busy:
            self._progress = time.monotonic()
        self._embeddings.append(work)
        self._wake.set()

    def cancel(self, request: Request) -> None:
        """End a request at the next step."""
        request.cancelled = True
        self._wake.set()

    @property
    def busy(self) -> bool:
        """Whether any model has work."""
        return bool(self._embeddings) or any(not scheduler.idle for scheduler in self._families)

    @property
    def running(self) -> int:
        """Sequences that hold a row, over all models."""
        return sum(scheduler.running for scheduler in self._families)

    @property
    def waiting(self) -> int:
        """Sequences that wait for a row, over all models, and requests for embeddings."""
        return sum(scheduler.waiting for scheduler in self._families) + len(self._embeddings)

    @property
    def embedding_tokens(self) -> int:
        """Tokens of all texts of the requests for embeddings that are queued or worked on."""
        return sum(work.tokens for work in list(self._embeddings))

    def stalled_for(self) -> float:
        """Seconds without progress while there is work; endless when the thread has died."""
        if not self._thread.is_alive():
            return float("inf")
        return time.monotonic() - self._progress if self.busy else 0.0

    def fail_all(self, problem: str) -> None:
        """Ask for everything to end with an error; the thread does it and stops."""
        self._problem = problem
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            worked = False
            for scheduler in self._families:
                worked |= self._step(scheduler)
            worked |= self._step_embedding()
            if not worked:
                self._wake.wait()
        for scheduler in self._families:
            self._hand_over(scheduler.fail_all(self._problem))
        for work in self._embeddings:
            self._hand_over(work.fail(self._problem))

    def _step(self, scheduler: Scheduler) -> bool:
        self._let_go(scheduler)
        if scheduler.idle:
            return False
        choice = self._choices.setdefault(scheduler, ThreadChoice(self._threads))
        torch.set_num_threads(choice.threads)
        began = time.perf_counter()
        events = scheduler.step()
        if scheduler.alike is not None:
            choice.took(time.perf_counter() - began, work=scheduler.alike)
        self._hand_over(events)
        self._progress = time.monotonic()
        self._observe(scheduler)
        return True

    def _let_go(self, scheduler: Scheduler) -> None:
        """Models that were removed leave once nobody uses them; the last of a family takes its memory along."""
        for served in self._families[scheduler]:
            if not served.retired.is_set() or self._used(served):
                continue
            with self._lock:
                rest = tuple(each for each in self._families[scheduler] if each is not served)
                others = {key: family for key, family in self._families.items() if key is not scheduler}
                self._families = {**others, scheduler: rest} if rest else others
            if rest:
                served.loaded.adapters.detach(served.loaded.adapter)
            else:
                self._choices.pop(scheduler, None)
                return

    def _used(self, served: ServedModel) -> bool:
        load = served.scheduler.load_of(served.loaded.adapter)
        return bool(load.running or load.waiting) or any(
            work.loaded is served.loaded for work in list(self._embeddings)
        )

    def _step_embedding(self) -> bool:
        if not self._embeddings:
            return False
        torch.set_num_threads(self._threads)
        work = self._embeddings[0]
        events = work.step()
        self._progress = time.monotonic()
        self._embeddings.popleft()
        if not work.over:
            self._embeddings.insert(IN_TURN - 1, work)
        self._hand_over(events)
        return True

    def _observe(self, scheduler: Scheduler) -> None:
        for served in self._families.get(scheduler, ()):
            load = scheduler.load_of(served.loaded.adapter)
            share = load.positions / self._positions
            self._metrics.load(served.name, running=load.running, waiting=load.waiting, cache=share)

    def _hand_over(self, events: list[tuple[Request, Event]]) -> None:
        if not events:
            return
        try:
            self._loop.call_soon_threadsafe(_deliver, events)
        except RuntimeError:
            log.warning("the event loop is closed; %d events were dropped", len(events))


def _deliver(events: list[tuple[Request, Event]]) -> None:
    for request, event in events:
        request.deliver(event)
