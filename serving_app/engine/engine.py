"""The engine as its routes see it: models, admission, accounts, health. Knows no HTTP library.

Everything here runs in the event loop's thread; the stepping is done by the engine thread behind it.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from serving_app.engine.accounts import Accounts
from serving_app.engine.embedding import Embedding
from serving_app.engine.errors import EngineError, invalid, unavailable
from serving_app.engine.grammar import Grammar
from serving_app.engine.journal import Journal
from serving_app.engine.metrics import Metrics
from serving_app.engine.params import SamplingParams
from serving_app.engine.registry import ModelRegistry, ServedModel, model_not_found
from serving_app.engine.requests import Closed, Event, Prompt, Request, open_request
from serving_app.engine.settings import EngineSettings
from serving_app.engine.stepper import Stepper


@dataclass(frozen=True, slots=True)
class Health:
    """Whether requests are taken, in one word and a sentence."""

    ready: bool
    status: str
    detail: str


class Engine:
    """One engine process."""

    def __init__(self, settings: EngineSettings, journal: Journal) -> None:
        self.settings = settings
        self.journal = journal
        self.metrics = Metrics()
        self.accounts = Accounts(journal, self.metrics)
        self.models = ModelRegistry(settings, self.accounts)
        self.stepper = Stepper(
            asyncio.get_running_loop(),
            self.metrics,
            threads=settings.threads,
            positions=settings.slots * settings.max_context,
        )
        self.starting = False
        self.draining = False
        self._open: dict[str, Request] = {}
        self._beaten = time.monotonic()
        self.stepper.start()

    def health(self) -> Health:
        """Ready, or why not."""
        if self.starting:
            return Health(False, "loading", "The models given at start are being loaded.")
        if self.draining:
            return Health(False, "draining", "The engine is stopping and takes no new requests.")
        if self.journal.fault is not None:
            return Health(False, "journal", self.journal.fault)
        stalled = self.stalled_for()
        if stalled > self.settings.stuck_seconds:
            return Health(False, "stuck", f"There is work, but no step ended in the last {stalled:.0f} seconds.")
        return Health(True, "ok", "Requests are taken.")

    async def beat(self) -> None:
        """Show once a second that the event loop turns, too; a journal that a full disk stopped is tried again."""
        while True:
            self._beaten = time.monotonic()
            if self.journal.fault is not None:
                await asyncio.to_thread(self.journal.mend)
            await asyncio.sleep(1)

    def stalled_for(self) -> float:
        """Seconds without progress of the engine thread while it has work, or without a beat if that is longer."""
        if self.draining:  # its thread ends, and drain has an end of its own
            return 0.0
        return max(self.stepper.stalled_for(), time.monotonic() - self._beaten)

    async def load(self, *, name: str, path: str, digest: str | None) -> ServedModel:
        """Load a full model and start stepping it, also when the caller goes away: its thread would go on in any case."""
        return await asyncio.shield(self._stepped(self.models.load(name=name, path=path, digest=digest)))

    async def load_adapter(self, *, name: str, path: str, base: str) -> ServedModel:
        """Load an adapter and start stepping it; the same holds."""
        return await asyncio.shield(self._stepped(self.models.load_adapter(name=name, path=path, base=base)))

    async def _stepped(self, loading: Awaitable[ServedModel]) -> ServedModel:
        served = await loading
        self.stepper.add(served)
        return served

    def unload(self, name: str, *, adapter: bool) -> None:
        """Take a name away; running answers are finished first."""
        self.stepper.drop(self.models.remove(name, adapter=adapter))

    def check_open(self, attempt_id: str) -> None:
        """Refuse new work while draining, without a journal, or under an attempt id that is being written."""
        if self.draining:
            raise unavailable("The engine is stopping.", code="draining")
        if self.journal.fault is not None:
            raise unavailable(self.journal.fault, code="journal_unavailable")
        if attempt_id in self._open:
            raise invalid("A request with this X-Request-Id is still running.", param=None, code="duplicate_request")

    @asynccontextmanager
    async def run(
        self,
        served: ServedModel,
        prompts: list[Prompt],
        *,
        params: SamplingParams,
        attempt_id: str,
        streams: bool,
        scope: str = "",
        grammar: Grammar | None = None,
    ) -> AsyncIterator[asyncio.Queue[Event]]:
        """Run a request; yields its queue of events, whose last is `Closed`. Leaving early cancels it.

        `scope`: those whose computed prefixes it may take over; empty for all who name none.
        """
        room = sum(prompt.choices for prompt in prompts)
        events: asyncio.Queue[Event] = asyncio.Queue()
        request = self._new_request(served, attempt_id, room=room, streams=streams, deliver=events.put_nowait)
        request.scope = scope
        open_request(request, prompts, params=params, decode=served.loaded.codec.decode, grammar=grammar)
        with self._accepted(request):
            self.stepper.submit(served, request)
            yield events

    @asynccontextmanager
    async def embed(
        self, served: ServedModel, prompts: list[list[int]], *, attempt_id: str
    ) -> AsyncIterator[tuple[Embedding, asyncio.Queue[Closed]]]:
        """Embed texts; yields the work, whose vectors are there once its queue gives `Closed`."""
        events: asyncio.Queue[Closed] = asyncio.Queue()

        def deliver(event: Event) -> None:
            if isinstance(event, Closed):
                events.put_nowait(event)

        request = self._new_request(served, attempt_id, room=1, streams=False, deliver=deliver)
        budget = self.settings.prefill_tokens
        work = Embedding(served.loaded, request, prompts, accounts=self.accounts, budget=budget)
        queued = self.stepper.embedding_tokens
        if queued and queued + work.tokens > self.settings.embedding_tokens:
            raise _too_many()
        with self._accepted(request):
            self.stepper.embed(work)
            yield work, events

    async def drain(self) -> None:
        """Stop admitting, wait for what runs, then end the rest and close the journal."""
        self.draining = True
        deadline = asyncio.get_running_loop().time() + self.settings.drain_seconds
        while self._open and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
        await asyncio.to_thread(self.stepper.fail_all, "The engine was stopped before the answer was complete.")
        await asyncio.sleep(0)
        self.journal.close()

    def _check_room(self, wanted: int) -> None:
        if self.stepper.waiting + wanted > self.settings.queue_limit:
            raise _too_many()

    def _new_request(
        self, served: ServedModel, attempt_id: str, *, room: int, streams: bool, deliver: Callable[[Event], None]
    ) -> Request:
        """A request that may be accepted now. Errors: 4xx and 503, as the state of the engine has it."""
        self.check_open(attempt_id)
        if served.retired.is_set():
            raise model_not_found(served.name)
        self._check_room(room)

        def closing(event: Event) -> None:
            if isinstance(event, Closed):
                self._open.pop(attempt_id, None)
            deliver(event)

        loaded = served.loaded
        return Request(attempt_id, served.name, streams, closing, ends=loaded.end_tokens, adapter=loaded.adapter)

    @contextmanager
    def _accepted(self, request: Request) -> Iterator[None]:
        """Journal it and hold it open; leaving before its end cancels it."""
        self.accounts.opened(request)
        self._open[request.attempt_id] = request
        try:
            yield
        finally:
            if request.attempt_id in self._open:
                self.stepper.cancel(request)


def _too_many() -> EngineError:
    return EngineError(
        "Too many requests are waiting for this engine.",
        status=429,
        kind="requests",
        code="rate_limit_exceeded",
        retry_after=1,
    )


def mint_attempt_id() -> str:
    """An attempt id for callers that sent none."""
    return f"req_{uuid.uuid4().hex}"
