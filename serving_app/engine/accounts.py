"""One place where tokens are counted, so that response, journal and metrics cannot disagree.

Lives in the engine thread (`opened` alone runs in the event loop's). Knows no tensors and no HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from serving_app.engine.journal import Journal
from serving_app.engine.metrics import Metrics
from serving_app.engine.requests import Request, Sequence

JOURNAL_EVERY = 16


class Accounts:
    """Counts of one engine: kept on the request, appended to the journal, added to the metrics."""

    def __init__(self, journal: Journal, metrics: Metrics) -> None:
        self._journal = journal
        self._metrics = metrics

    def opened(self, request: Request) -> None:
        """A request was accepted: its first row, with nothing worked through yet."""
        self._record(request, None)

    def left_queue(self, sequence: Sequence) -> None:
        """A prompt is read from now on. Further choices wait for its first one, which is no queue."""
        if sequence.leader is None:
            request = sequence.request
            self._metrics.left_queue(request.model, time.monotonic() - request.accepted)

    def prompt_read(self, sequence: Sequence) -> None:
        """A prompt is computed. Further choices of the same prompt do not count it again."""
        if sequence.leader is None:
            request = sequence.request
            request.prompt_tokens += sequence.prompt_length
            request.cached_tokens += sequence.cached
            self._metrics.prompt_tokens(request.model, sequence.prompt_length)

    def embedded(self, request: Request, count: int) -> None:
        """Tokens of a text were worked through for its vector. A row a piece: a kill loses none that are done."""
        request.prompt_tokens += count
        self._metrics.prompt_tokens(request.model, count)
        self._record(request, None)

    def tokens_written(self, sequences: Iterable[Sequence]) -> None:
        """One more token for each of these sequences."""
        now = time.monotonic()
        for sequence in sequences:
            request = sequence.request
            request.completion_tokens += 1
            self._metrics.generation_tokens(request.model, 1)
            if sequence.last_token is None:
                self._metrics.first_token(request.model, now - request.accepted)
            else:
                self._metrics.next_token(request.model, now - sequence.last_token)
            sequence.last_token = now
            first = request.completion_tokens == 1
            if request.open and (first or request.completion_tokens - request.journaled >= JOURNAL_EVERY):
                self._record(request, None)

    def closed(self, request: Request, reason: str) -> None:
        """A request is over: its closing row."""
        self._record(request, reason)
        self._metrics.finished(request.model, reason, time.monotonic() - request.accepted)

    def _record(self, request: Request, reason: str | None) -> None:
        request.journaled = request.completion_tokens
        usage = request.usage
        self._journal.append(
            attempt_id=request.attempt_id,
            model=request.model,
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=usage.cached_tokens,
            completion_tokens=usage.completion_tokens,
            finish_reason=reason,
        )
