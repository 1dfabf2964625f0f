"""Samples of the machine and its engines, taken by the reconciler for the monitoring page; a week of them is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import psutil
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from serving_app.models import ResourceSample

KEPT = timedelta(days=7)
SUMMED = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "engine_memory_bytes": "memory",
    "engine_gpu_memory_bytes": "gpu_memory",
    "engine_gpu_memory_size_bytes": "gpu_size",
}
LARGEST = {"vllm:kv_cache_usage_perc": "cache", "engine_gpu_busy_percent": "gpu_busy"}
CPU = "engine_cpu_seconds_total"


@dataclass(slots=True)
class EngineLoad:
    """What an engine's /metrics tell: sequences of all its models, its fullest cache, its process, all its GPUs together.

    None: it does not tell; engines that nobody here wrote tell nothing of their process.
    """

    running: float = 0.0
    waiting: float = 0.0
    cache: float = 0.0
    cpu_seconds: float | None = None
    memory: float | None = None
    gpu_memory: float | None = None
    gpu_size: float | None = None
    gpu_busy: float | None = None


def engine_load(text: str) -> EngineLoad:
    """Read an engine's /metrics. Raises ValueError where they are none."""
    found = EngineLoad()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if name := SUMMED.get(sample.name):
                setattr(found, name, (getattr(found, name) or 0.0) + sample.value)
            elif name := LARGEST.get(sample.name):
                setattr(found, name, max(getattr(found, name) or 0.0, sample.value))
            elif sample.name == CPU:
                found.cpu_seconds = sample.value
    return found


class CpuShares:
    """Seconds that engines' processes have spent, to percent of one core since the look before."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float]] = {}

    def of(self, engine: str, seconds: float | None, *, now: float | None = None) -> float | None:
        """None at the first look, after a restart, and where the engine does not tell."""
        now = time.monotonic() if now is None else now
        before = self._seen.pop(engine, None)
        if seconds is None:
            return None
        self._seen[engine] = (now, seconds)
        if before is None or seconds < before[1] or now <= before[0]:
            return None
        return 100 * (seconds - before[1]) / (now - before[0])


def _sum(values: list[float | None]) -> float | None:
    told = [each for each in values if each is not None]
    return sum(told) if told else None


def record_sample(engines: Mapping[str, EngineLoad], shares: CpuShares) -> None:
    """What the machine of the reconciler and the engines are at now. CPU is the share since the sample before."""
    memory, loads = psutil.virtual_memory(), list(engines.values())
    resident, size = _sum([each.memory for each in loads]), _sum([each.gpu_size for each in loads])
    taken = _sum([each.gpu_memory for each in loads])
    ResourceSample.objects.create(
        cpu_percent=psutil.cpu_percent(),
        memory_percent=memory.percent,
        memory_bytes=memory.total - memory.available,
        running=int(sum(each.running for each in loads)),
        waiting=int(sum(each.waiting for each in loads)),
        cache_percent=100 * max((each.cache for each in loads), default=0.0),
        engines_up=len(engines),
        engine_cpu_percent=_sum([shares.of(name, each.cpu_seconds) for name, each in engines.items()]),
        engine_memory_bytes=None if resident is None else int(resident),
        gpu_memory_percent=100 * taken / size if size and taken is not None else None,
        gpu_busy_percent=max((each.gpu_busy for each in loads if each.gpu_busy is not None), default=None),
    )


def drop_old_samples() -> int:
    """Forget what is older than a week; how many."""
    return ResourceSample.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]
