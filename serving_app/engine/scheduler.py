"""Continuous batching for one model and its adapters: who reads a prompt, who writes a token, who waits, step by step.

Sequences join and leave at every step. A step works through at most one bounded batch of prompt pieces and then writes
one token for every decoding row, so a long prompt never stops the streams that run. Lives in the engine thread; only
`submit` may be called from elsewhere. Knows no HTTP and no files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from serving_app.engine.accounts import Accounts
from serving_app.engine.forward import ForwardPass, PromptPiece
from serving_app.engine.requests import Closed, Event, Request, Sequence
from serving_app.engine.rows import Row, RowTable
from serving_app.engine.sampling import sample

# What a forward pass can raise: out of memory and shape errors are RuntimeErrors in torch.
FORWARD_ERRORS = (RuntimeError, ValueError, IndexError, TypeError, KeyError, AttributeError, MemoryError)


@dataclass(frozen=True, slots=True)
class Load:
    """Sequences with a row, sequences without, and the positions of the cache that the former hold."""

    running: int
    waiting: int
    positions: int


class Scheduler:
    """Rows, queue and steps of one model."""

    def __init__(
        self,
        forward: ForwardPass,
        *,
        accounts: Accounts,
        slots: int,
        prefill_tokens: int,
    ) -> None:
        self._forward = forward
        self._accounts = accounts
        self._budget = prefill_tokens
        self._table = RowTable(forward.cache, slots=slots)
        self._inbox: deque[Request] = deque()
        self._waiting: deque[Sequence] = deque()
        self._reading: list[Sequence] = []
        self._writing: dict[Row, Sequence] = {}
        self._outbox: list[tuple[Request, Event]] = []
        self._steps = 0
        self.alike: int | None = None

    @property
    def waiting(self) -> int:
        """Sequences that have no row yet."""
        return len(self._waiting) + sum(len(request.sequences) for request in list(self._inbox))

    @property
    def running(self) -> int:
        """Sequences that hold a row."""
        return len(self._reading) + len(self._writing)

    @property
    def idle(self) -> bool:
        """Whether a step would find nothing to work on."""
        return not (self._inbox or self._waiting or self._reading or self._writing)

    def load_of(self, adapter: int) -> Load:
        """What an adapter's sequences take up, or with 0 the plain model's."""
        running = [each for each in [*self._reading, *self._writing.values()] if each.request.adapter == adapter]
        queued = [each for request in list(self._inbox) for each in request.sequences]
        waiting = [each for each in [*self._waiting, *queued] if each.request.adapter == adapter]
        return Load(len(running), len(waiting), sum(len(each.row.tokens) for each in running if each.row is not None))

    def submit(self, request: Request) -> None:
        """Queue a request; safe from any thread."""
        self._inbox.append(request)

    def step(self) -> list[tuple[Request, Event]]:
        """One step; returns the events to deliver, in order."""
        self._steps += 1
        self._outbox = []
        while self._inbox:
            self._waiting.extend(self._inbox.popleft().sequences)
        self._drop_ended()
        self._admit()
        # Steps without a prompt and with about as many rows take about as long, for the one who compares.
        self.alike = None if self._reading else len(self._writing).bit_length()
        try:
            self._read_prompts()
            self._write_tokens()
        except FORWARD_ERRORS as error:
            self._fail(f"The model failed in the middle of a step: {error}")
        return self._outbox

    def fail_all(self, problem: str) -> list[tuple[Request, Event]]:
        """End everything, waiting or running, with an error; used when the engine must leave."""
        self._outbox = []
        while self._inbox:
            self._waiting.extend(self._inbox.popleft().sequences)
        waiting, self._waiting = list(self._waiting), deque()
        self._close(waiting, reason="error", problem=problem)
        self._fail(problem)
        return self._outbox

    def _drop_ended(self) -> None:
        """Let go of requests that were cancelled or cannot go on."""
        gone = [sequence for sequence in self._everyone() if sequence.request.ends_early]
        if not gone:
            return
        self._waiting = deque(sequence for sequence in self._waiting if not sequence.request.ends_early)
        for sequence in gone:
            self._release(sequence)
            problem = sequence.request.problem
            self._close([sequence], reason="error" if problem else "cancelled", problem=problem)

    def _everyone(self) -> list[Sequence]:
        return [*self._waiting, *self._reading, *self._writing.values()]

    def _admit(self) -> None:
        """Give rows to those who wait, in order; later choices of a prompt wait until its first one has read it."""
        passed: list[Sequence] = []
        while self._waiting and not self._table.full:
            sequence = self._waiting.popleft()
            if sequence.waits_for_leader:
                passed.append(sequence)
                continue
            request = sequence.request
            try:
                sequence.row, sequence.cached = self._table.take(
                    sequence.tokens, adapter=request.adapter, scope=request.scope
                )
            except FORWARD_ERRORS as error:  # no memory for it: it is ended in the next step, the others go on
                request.problem = f"There was no room for the request: {error}"
                passed.append(sequence)
                break
            self._reading.append(sequence)
            self._accounts.left_queue(sequence)
        self._waiting.extendleft(reversed(passed))

    def _read_prompts(self) -> None:
        chosen = choose_readers(self._reading, budget=self._budget, oldest_first=self._steps % 2 == 0)
        if not chosen:
            return
        pieces = [_next_piece(sequence, self._budget) for sequence in chosen]
        logits = self._forward.prefill(pieces)
        done: list[int] = []
        for index, (sequence, piece) in enumerate(zip(chosen, pieces, strict=True)):
            _row(sequence).tokens.extend(piece.tokens)
            if len(_row(sequence).tokens) == sequence.prompt_length:
                done.append(index)
        self._start_writing([chosen[index] for index in done], logits[done] if len(done) < len(chosen) else logits)

    def _start_writing(self, sequences: list[Sequence], logits: Tensor) -> None:
        for sequence in sequences:
            self._reading.remove(sequence)
            self._table.start_decoding(_row(sequence))
            self._writing[_row(sequence)] = sequence
            self._accounts.prompt_read(sequence)
        if sequences:
            self._take_tokens(sequences, logits)

    def _write_tokens(self) -> None:
        sequences = sorted(self._writing.values(), key=lambda sequence: _row(sequence).at)
        if not sequences:
            return
        newest = [sequence.tokens[-1] for sequence in sequences]
        positions = [len(_row(sequence).tokens) for sequence in sequences]
        logits = self._forward.decode(newest, positions, [sequence.request.adapter for sequence in sequences])
        for sequence, token in zip(sequences, newest, strict=True):
            _row(sequence).tokens.append(token)
        self._take_tokens(sequences, logits)

    def _take_tokens(self, sequences: list[Sequence], logits: Tensor) -> None:
        tokens, logprobs = sample(logits, [sequence.sampler for sequence in sequences])
        written = []
        for sequence, token, logprob in zip(sequences, tokens, logprobs, strict=True):
            grammar = sequence.sampler.grammar
            if grammar is not None and grammar.problem is not None:
                sequence.request.problem = grammar.problem
                continue
            sequence.accept(token, logprob, ends=token in sequence.request.ends)
            written.append(sequence)
        self._accounts.tokens_written(written)
        for sequence in written:
            self._send(sequence)
        # Only now: choices of one request may end in the same step, and its end must come after all their text.
        for request in dict.fromkeys(sequence.request for sequence in written):
            if not request.open:
                self._finish(request, problem=None)

    def _send(self, sequence: Sequence) -> None:
        over = sequence.finish_reason is not None
        if over:
            self._release(sequence)
        if sequence.request.streams or over:
            delta = sequence.drain()
            if delta is not None:
                self._outbox.append((sequence.request, delta))

    def _close(self, sequences: Iterable[Sequence], *, reason: str, problem: str | None) -> None:
        """End sequences from outside and close requests that have none left."""
        requests: dict[Request, None] = {}
        for sequence in sequences:
            sequence.finish_reason = reason
            requests[sequence.request] = None
        for request in requests:
            if not request.open:
                self._finish(request, problem=problem)

    def _finish(self, request: Request, *, problem: str | None) -> None:
        reason = request.reason()
        self._accounts.closed(request, reason)
        self._outbox.append((request, Closed(request.usage, reason, problem)))

    def _release(self, sequence: Sequence) -> None:
        if sequence.row is None:
            return
        if self._writing.pop(sequence.row, None) is None:
            self._reading.remove(sequence)
        self._table.give_back(sequence.row)
        sequence.row = None

    def _fail(self, problem: str) -> None:
        """A failed pass leaves rows in doubt: end every running sequence and forget all rows."""
        running = [*self._reading, *self._writing.values()]
        self._reading, self._writing = [], {}
        self._table.forget()
        for sequence in running:
            sequence.row = None
        doomed = {sequence.request for sequence in running}
        orphans = [sequence for sequence in self._waiting if sequence.request in doomed]
        self._waiting = deque(sequence for sequence in self._waiting if sequence.request not in doomed)
        self._close([*running, *orphans], reason="error", problem=problem)


def choose_readers(reading: list[Sequence], *, budget: int, oldest_first: bool) -> list[Sequence]:
    """Who reads in this step: as many as fit into `budget` padded tokens, at least one.

    The shortest remainders go first so that short prompts overtake long ones; every other step the oldest goes first,
    so that a long prompt is not starved.
    """
    order = sorted(reading, key=_unread)
    if oldest_first and reading:
        order = [reading[0], *(sequence for sequence in order if sequence is not reading[0])]
    chosen: list[Sequence] = []
    width = 0
    for sequence in order:
        wider = max(width, min(_unread(sequence), budget))
        if chosen and wider * (len(chosen) + 1) > budget:
            break
        chosen.append(sequence)
        width = wider
    return sorted(chosen, key=lambda sequence: _row(sequence).at)


def _unread(sequence: Sequence) -> int:
    return sequence.prompt_length - len(_row(sequence).tokens)


def _next_piece(sequence: Sequence, budget: int) -> PromptPiece:
    row = _row(sequence)
    start = len(row.tokens)
    tokens = sequence.tokens[start : min(sequence.prompt_length, start + budget)]
    return PromptPiece(row.at, start, tokens, sequence.request.adapter)


def _row(sequence: Sequence) -> Row:
    if sequence.row is None:
        raise RuntimeError("a sequence without a row cannot be run")
    return sequence.row
