"""What this web process measures of requests, for Prometheus. Counts start at nothing with each process.

It knows no workspaces and no keys. What the database knows better (tokens, money, open reservations) is read from there
when somebody asks; what engines know is taken from their own /metrics.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterable, Iterator

from django.conf import settings
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from gptstudio.core import heartbeats
from serving_app import engine_client, selectors
from serving_app.engine_client import EngineAway, EngineBroke, EngineRefused
from serving_app.services.trips import in_report_thread

logger = logging.getLogger(__name__)
PASSED_ON = ("vllm:", "engine_")  # vLLM's names, and those of our engine's process and machine
WHOLE = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)
SMALL = (0.0005, 0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # CPU seconds, memory, open files of this process
ANSWERS = Counter(
    "studio_requests", "Answers of /v1, by address and status.", ["endpoint", "status"], registry=REGISTRY
)
ERRORS = Counter(
    "studio_errors", "Errors of /v1 by code, also those told in the middle of a stream.", ["code"], registry=REGISTRY
)
FIRST = Histogram(
    "studio_time_to_first_token_seconds", "From the request's arrival to the first piece of text of a stream.",
    ["model"], buckets=WHOLE, registry=REGISTRY,
)  # fmt: skip
BETWEEN = Histogram(
    "studio_inter_token_seconds", "Mean time between the tokens of one stream.", ["model"], buckets=SMALL,
    registry=REGISTRY,
)  # fmt: skip
ALL = Histogram(
    "studio_request_seconds", "From the request's arrival to its bill.", ["model"], buckets=WHOLE, registry=REGISTRY
)
MODEL = Histogram(
    "studio_engine_seconds", "The part of it between asking the engine and its last byte.", ["model"], buckets=WHOLE,
    registry=REGISTRY,
)  # fmt: skip
OVERHEAD = Histogram(
    "studio_gateway_overhead_seconds", "The gateway's own time: before the engine is asked, and after its last byte.",
    ["part"], buckets=SMALL, registry=REGISTRY,
)  # fmt: skip


def count_answer(*, endpoint: str, status: int, code: str) -> None:
    """An answer left, with OpenAI's error code if it is one."""
    ANSWERS.labels(endpoint, str(status)).inc()
    if code:
        ERRORS.labels(code).inc()


def count_broken(code: str) -> None:
    """A stream was broken off after its first byte."""
    ERRORS.labels(code).inc()


def count_times(
    model: str, *, before: float, first: float | None, engine: float, after: float, tokens: int | None
) -> None:
    """The times of an answer in seconds; `first` from the engine being asked, None where nobody streamed."""
    OVERHEAD.labels("before").observe(before)
    OVERHEAD.labels("after").observe(after)
    MODEL.labels(model).observe(engine)
    ALL.labels(model).observe(before + engine + after)
    if first is not None:
        FIRST.labels(model).observe(before + first)
        if tokens is not None and tokens > 1:
            BETWEEN.labels(model).observe(max(0.0, engine - first) / (tokens - 1))


def _of_database() -> bytes:
    """The ledger's sums, what is open, and the invariant."""
    found = CollectorRegistry()
    tokens = Gauge("studio_ledger_tokens", "Billed tokens by model and kind.", ["model", "kind"], registry=found)
    cost = Gauge("studio_ledger_cost_micro", "Billed millionths of the currency unit.", ["model"], registry=found)
    for row in selectors.ledger_by_model():
        for kind in ("prompt", "cached", "completion"):
            tokens.labels(row["model_name"], kind).set(row[f"{kind}_tokens"])
        cost.labels(row["model_name"]).set(row["cost_micro"])
    count, oldest = selectors.open_reservations()
    Gauge("studio_open_reservations", "Requests that have not ended.", registry=found).set(count)
    Gauge("studio_oldest_reservation_seconds", "How long the oldest has been open.", registry=found).set(oldest)
    up = Gauge("studio_engine_up", "Whether the reconciler saw the engine ready.", ["engine"], registry=found)
    drift = Gauge(
        "studio_engine_minus_ledger_tokens", "Tokens in the engine's journal minus those billed; 0 is right.",
        ["engine", "kind"], registry=found,
    )  # fmt: skip
    for replica in selectors.replicas():
        up.labels(replica.name).set(replica.is_up)
        if replica.has_journal:  # else nothing was compared, and 0 would say that all is right
            drift.labels(replica.name, "prompt").set(replica.drift_prompt)
            drift.labels(replica.name, "completion").set(replica.drift_completion)
    return generate_latest(found)


def _of_machines() -> bytes:
    """Whether workers and reconciler are alive, what waits for them, and the room on the disk that all share."""
    found = CollectorRegistry()
    beat = Gauge(
        "studio_heartbeat_age_seconds", "Since the last sign of life of a part; absent where this home never had one.",
        ["part", "queue"], registry=found,
    )  # fmt: skip
    parts = {("worker", queue): f"worker-{queue}" for queue in ("cpu", "gpu")} | {("reconciler", ""): "reconciler"}
    for labels, name in parts.items():
        if (seconds := heartbeats.age(name)) is not None:
            beat.labels(*labels).set(seconds)
    waits = Gauge("studio_oldest_waiting_seconds", "How long work has waited to be begun.", ["work"], registry=found)
    for work, seconds in selectors.oldest_waiting().items():
        waits.labels(work).set(seconds)
    disk = shutil.disk_usage(settings.STUDIO_HOME)
    Gauge("studio_disk_free_bytes", "Room on the disk of STUDIO_HOME.", registry=found).set(disk.free)
    Gauge("studio_disk_size_bytes", "The size of that disk.", registry=found).set(disk.total)
    return generate_latest(found)


class _Passed:
    """Engines' own metrics, each with the engine's name."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _named(engine: str, text: str, into: dict[str, Metric]) -> None:
    """All of an engine's families, or ValueError and none of them."""
    for family in list(text_string_to_metric_families(text)):
        if not family.name.startswith(PASSED_ON):
            continue
        kept = into.setdefault(family.name, Metric(family.name, family.documentation, family.type))
        kept.samples += [each._replace(labels={**each.labels, "engine": engine}) for each in family.samples]


async def _of_engines() -> bytes:
    """Batch size, queue, cache use and times as the engines measure them.

    One that is away, or that answers something else, is left out.
    """
    replicas = await in_report_thread(lambda: [(each.name, each.url) for each in selectors.replicas() if each.is_up])
    texts = await asyncio.gather(*(engine_client.metrics(url) for _, url in replicas), return_exceptions=True)
    families: dict[str, Metric] = {}
    for (name, _), text in zip(replicas, texts, strict=True):
        if isinstance(text, str):
            try:
                _named(name, text, families)
            except ValueError as error:
                logger.info("engine %s tells no metrics: %s", name, error)
        elif not isinstance(text, EngineAway | EngineBroke | EngineRefused):
            raise text
    registry = CollectorRegistry()
    registry.register(_Passed(families.values()))
    return generate_latest(registry)


async def metrics_text() -> bytes:
    """Everything in Prometheus' text format."""
    engines, studio = await asyncio.gather(_of_engines(), in_report_thread(lambda: _of_database() + _of_machines()))
    return generate_latest(REGISTRY) + studio + engines
