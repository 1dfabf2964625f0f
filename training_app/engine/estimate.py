"""What a run will take, by its own first steps: the same data, order, shapes and code, ended early. Knows no prices.

The longest batch is the second (see `batching`), so these steps meet the run's peak of memory. Times come from a
stopwatch in the event log's place: the training itself knows nothing of being measured. What comparing and checking the
model will take is measured after it (`judging_time`). It writes `<run>/estimate.json`.
"""

from __future__ import annotations

import gc
import io
import itertools
import math
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import pyarrow.parquet as pq
import torch

from training_app.engine.errors import RunStopped
from training_app.engine.events import EventLog
from training_app.engine.hyperparameters import Hyperparameters
from training_app.engine.machine import held_bytes, memory_bytes, peak_memory_bytes, seconds_of_process
from training_app.engine.ornaments import as_notice
from training_app.engine.ranks import ALONE, Ranks
from training_app.engine.reports import write_report
from training_app.engine.spec import TrainSpec
from training_app.engine.stopping import StopRequest
from training_app.engine.train import train

REPORT = "estimate.json"
STEPS = 24
FEWEST_STEPS = 5
NEVER = 10_000_000
BUDGET_SECONDS = 30.0  # for the steps; a run of slow steps ends here, its looks at validation rows are worked out then
FORWARD_SHARE = 1 / 3  # of a training step's work; the other two thirds are the way back


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was taken: seconds and tokens, padding not counted."""

    seconds: float
    tokens: float


class Stopwatch(EventLog):
    """Notes when each event came, and asks for a stop when the time for steps is used up."""

    def __init__(self, path: Path, *, attempt: int, mirror: IO[str], stop: StopRequest) -> None:
        super().__init__(path, attempt=attempt, mirror=mirror)
        self.seen: list[tuple[str, float, dict[str, Any]]] = []
        self._stop = stop

    def write(self, kind: str, **data: Any) -> None:
        """Note it before it is written down, so that the disk does not count."""
        self.seen.append((kind, time.monotonic(), data))
        super().write(kind, **data)
        if kind == "metric" and data["step"] >= FEWEST_STEPS:
            self._stop.requested |= time.monotonic() - self.first("plan") > BUDGET_SECONDS

    def first(self, kind: str) -> float:
        """When the first event of this kind came."""
        return next(at for each, at, _ in self.seen if each == kind)

    def last(self, *kinds: str) -> float | None:
        """When the last event of these kinds came; None without one."""
        return next((at for each, at, _ in reversed(self.seen) if each in kinds), None)

    def data_of(self, kind: str) -> dict[str, Any]:
        """What the first event of this kind said."""
        return next(data for each, _, data in self.seen if each == kind)

    def steps(self) -> list[Step]:
        """The steps after the first, which also warms the machine up."""
        metrics = [(at, data) for kind, at, data in self.seen if kind == "metric"]
        found = []
        for (before, _), (at, data) in itertools.pairwise(metrics):
            found.append(Step(at - before, data["tokens_per_second"] * (at - before)))
        return found


class Quiet(io.StringIO):
    """In the place of standard output: passes a request to stop on to the trial, at the next event."""

    def __init__(self, outer: StopRequest, inner: StopRequest) -> None:
        super().__init__()
        self._outer, self._inner = outer, inner

    def write(self, _line: str) -> int:
        self._inner.requested |= self._outer.requested
        return 0


def estimate_run(spec: TrainSpec, events: EventLog, stop: StopRequest, ranks: Ranks = ALONE) -> None:
    """Take the run's first steps and write estimate.json. Raises what training raises, memory that ran out among it.

    Of several processes the leading one holds the stopwatch.
    """
    process_seconds = seconds_of_process()
    began = time.monotonic() - process_seconds
    inner, folder = StopRequest(), spec.common.run / "trial"
    folder.mkdir(exist_ok=True)
    short = _short(spec)
    trial = replace(short, common=replace(spec.common, run=folder))
    if not ranks.leads:
        with suppress(RunStopped):
            train(trial, events, stop, ranks)
        return
    device = torch.device(spec.common.device)
    total, free = memory_bytes(device)
    free += held_bytes(device)  # what this process has is the run's own
    watch = Stopwatch(folder / "events.jsonl", attempt=spec.common.attempt, mirror=Quiet(stop, inner), stop=inner)
    with closing(watch), suppress(RunStopped):
        train(trial, watch, inner, ranks)
    stop.check()
    found = {
        "version": 1,
        **_times(watch, spec.hyperparameters, began=began, ended=time.monotonic()),
        "memory_bytes": peak_memory_bytes(device) * (ranks.size if device.type == "cpu" else 1),
        "memory": {"total": total, "free": free},
    }
    gc.collect()  # the trial's model and its optimiser make room
    with as_notice(events, "What judging the model will take"):
        from training_app.engine.judging_time import judging_times  # late: the start of a training has no use for it

        times = judging_times(spec, device)
        found["judging"] = {**times, "process_seconds": round(process_seconds, 4)} if times else {}
    stop.check()
    write_report(spec.common.run / REPORT, found)
    events.write("saved", path=REPORT)
    events.write("finished", reason="completed")


def _short(spec: TrainSpec) -> TrainSpec:
    """The same run, over after STEPS steps: one look at the validation rows and one checkpoint, at its end."""
    given = spec.hyperparameters
    rows = pq.read_metadata(spec.train).num_rows * spec.train_share
    an_epoch = math.ceil(rows / spec.hyperparameters.step_rows)
    few: dict[str, Any] = {
        "n_epochs": min(given.n_epochs, (STEPS - 0.5) / max(1, an_epoch)),
        "max_steps": min(given.max_steps, STEPS),
        "eval_steps": NEVER,
        "save_steps": NEVER,
        "early_stopping_patience": 0,
    }
    once = replace(given, **few)
    return replace(spec, hyperparameters=once)


def _times(watch: Stopwatch, given: Hyperparameters, *, began: float, ended: float) -> dict[str, Any]:
    """Seconds of each part of a run."""
    plan, steps = watch.data_of("plan"), watch.steps()
    first, tokens_of_first = watch.first("metric") - watch.first("plan"), watch.data_of("metric")["tokens_per_second"]
    fixed, a_token = fit(steps or [Step(first, tokens_of_first * first)])
    a_step = plan["train_tokens"] / math.ceil(plan["train_rows"] / given.step_rows)
    if given.objective == "dpo" and steps:  # the library counts one answer of each pair
        a_step = sum(step.tokens for step in steps) / len(steps)
    warming = max(0.0, first - fixed - a_token * tokens_of_first * first) if steps else 0.0
    stepped = watch.last("metric") or ended
    looked = watch.last("evaluation") or stepped
    sampled = watch.last("sample") or looked
    saved = watch.last("checkpoint") or sampled
    is_whole = watch.last("saved") is not None
    checkpoint = saved - sampled
    a_row = plan["train_tokens"] / plan["train_rows"]
    forward = plan["validation_rows"] * a_row * (fixed / a_step + a_token) * FORWARD_SHARE
    parts = {
        "start_seconds": watch.first("plan") - began + warming + _rest_of_reference(plan),
        "step_seconds": fixed + a_token * a_step,
        "evaluation_seconds": looked - stepped if is_whole else forward,
        "sample_seconds": sampled - looked,
        "checkpoint_seconds": checkpoint,
        "finish_seconds": ended - saved if is_whole else checkpoint,
    }
    counts = {"steps_tried": len(steps) + 1, "tokens": plan["train_tokens"]}
    return {**{name: round(seconds, 4) for name, seconds in parts.items()}, **counts}


def _rest_of_reference(plan: dict[str, Any]) -> float:
    """Seconds for the pairs that the trial did not have the base model look at."""
    looked_at = plan.get("reference_pairs", 0)
    return plan["reference_seconds"] * (plan["train_rows"] - looked_at) / looked_at if looked_at else 0.0


def fit(steps: Sequence[Step]) -> tuple[float, float]:
    """Seconds that every step takes, and seconds for each token: least squares, neither below nothing."""
    seconds = sum(step.seconds for step in steps) / len(steps)
    tokens = sum(step.tokens for step in steps) / len(steps)
    spread = sum((step.tokens - tokens) ** 2 for step in steps)
    together = sum((step.tokens - tokens) * (step.seconds - seconds) for step in steps)
    a_token = min(max(together / spread, 0.0), seconds / tokens) if spread and tokens else 0.0
    return seconds - a_token * tokens, a_token
