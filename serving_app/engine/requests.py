"""One completion request inside the engine: its sequences, its counts, and the events it sends back.

Knows tokens and text; refuses to know HTTP, JSON and the model.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from serving_app.engine.detokenizer import Detokenizer
from serving_app.engine.grammar import Grammar
from serving_app.engine.params import SamplingParams, TokenLogprob
from serving_app.engine.rows import Row
from serving_app.engine.sampling import SamplerRow
from serving_app.engine.stops import StopFilter


@dataclass(frozen=True, slots=True)
class Usage:
    """Exact counts: prompt tokens (once a prompt), those found in the prefix cache, and every token sampled.

    The end-of-sequence token and the tokens of a stop string were sampled, so they count.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """New text of one choice; `finish_reason` is set on its last one."""

    choice: int
    text: str
    logprobs: tuple[TokenLogprob, ...]
    finish_reason: str | None


@dataclass(frozen=True, slots=True)
class Closed:
    """The last event of a request. `reason` is stop, length, cancelled or error; `problem` says what went wrong."""

    usage: Usage
    reason: str
    problem: str | None = None


Event = Delta | Closed


@dataclass(slots=True, eq=False)
class Sequence:
    """One choice being written. `tokens` is the prompt followed by what was sampled."""

    request: Request
    choice: int
    prompt_length: int
    tokens: list[int]
    params: SamplingParams
    sampler: SamplerRow
    detokenizer: Detokenizer
    stops: StopFilter
    leader: Sequence | None = None
    row: Row | None = None
    cached: int = 0
    last_token: float | None = None
    finish_reason: str | None = None
    text: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)

    @property
    def sampled(self) -> int:
        """Tokens drawn so far."""
        return len(self.tokens) - self.prompt_length

    @property
    def waits_for_leader(self) -> bool:
        """Whether an earlier choice of the same prompt is still reading it: its rows can be copied soon."""
        leader = self.leader
        return leader is not None and leader.finish_reason is None and leader.sampled == 0

    def accept(self, token: int, logprob: TokenLogprob | None, *, ends: bool) -> None:
        """Take a drawn token: add its text and decide whether the sequence is over. `ends`: an end token."""
        self.tokens.append(token)
        stopped = ends
        if not ends:
            if logprob is not None:
                self.logprobs.append(logprob)
            shown, stopped = self.stops.push(self.detokenizer.push(token))
            self.text.append(shown)
        if stopped:
            self.finish_reason = "stop"
        elif self.sampled >= self.params.max_tokens:
            self.finish_reason = "length"
        if self.finish_reason is not None:
            self.text.append(self.stops.flush())

    def drain(self) -> Delta | None:
        """What can be sent now, or None."""
        text = "".join(self.text)
        if not text and self.finish_reason is None:
            return None
        delta = Delta(self.choice, text, tuple(self.logprobs), self.finish_reason)
        self.text.clear()
        self.logprobs.clear()
        return delta


@dataclass(slots=True, eq=False)
class Request:
    """A request's shared state. `deliver` is called in the event loop's thread with each event, in order.

    `ends` are the tokens that end an answer, `adapter` its number among the model's adapters, 0 for none; `scope` names
    those whose computed prefixes it may take over. One that is `cancelled`, or has a `problem` of its own, is ended at
    the next step.
    """

    attempt_id: str
    model: str
    streams: bool
    deliver: Callable[[Event], None]
    ends: frozenset[int] = frozenset()
    adapter: int = 0
    scope: str = ""
    sequences: list[Sequence] = field(default_factory=list)
    cancelled: bool = False
    problem: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    journaled: int = 0
    accepted: float = field(default_factory=time.monotonic)

    @property
    def usage(self) -> Usage:
        """The counts up to now."""
        return Usage(self.prompt_tokens, self.cached_tokens, self.completion_tokens)

    @property
    def ends_early(self) -> bool:
        """Whether what is still being written is to be given up."""
        return self.cancelled or self.problem is not None

    @property
    def open(self) -> bool:
        """Whether some choice is still being written."""
        return any(sequence.finish_reason is None for sequence in self.sequences)

    def reason(self) -> str:
        """One finish reason for all choices: the worst of them."""
        reasons = {sequence.finish_reason for sequence in self.sequences}
        return next(reason for reason in ("error", "cancelled", "length", "stop") if reason in reasons)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A tokenised prompt and what to do with it: one sequence for each of `choices`."""

    tokens: list[int]
    choices: int


def open_request(
    request: Request,
    prompts: list[Prompt],
    *,
    params: SamplingParams,
    decode: Callable[[list[int]], str],
    grammar: Grammar | None = None,
) -> Request:
    """Fill a request with its sequences: choices of one prompt follow its first one, to share its computed prefix."""
    for prompt in prompts:
        leader: Sequence | None = None
        for _ in range(prompt.choices):
            choice = len(request.sequences)
            sequence = Sequence(
                request=request,
                choice=choice,
                prompt_length=len(prompt.tokens),
                tokens=list(prompt.tokens),
                params=params,
                sampler=SamplerRow.start(params, choice=choice, grammar=grammar.copy() if grammar else None),
                detokenizer=Detokenizer(decode),
                stops=StopFilter(params.stop, until=params.stop_until, unless=params.stop_unless),
                leader=leader,
            )
            leader = leader or sequence
            request.sequences.append(sequence)
    return request
