"""Samples of the machine and its engines, taken by the reconciler for the monitoring page; a week of them is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import psutil
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from serving_app.models import ResourceSample

KEPT = timedelta(days=7)
WANTED = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:kv_cache_usage_perc": "cache",
}


def engine_load(text: str) -> dict[str, float]:
    """Running and waiting sequences of all models of an engine, and its fullest cache, from its /metrics."""
    found = dict.fromkeys(WANTED.values(), 0.0)
    for family in text_string_to_metric_families(text):
        name = WANTED.get(family.name)
        for sample in family.samples if name else ():
            found[name] = max(found[name], sample.value) if name == "cache" else found[name] + sample.value  # type: ignore[index]
    return found


def record_sample(engines: Mapping[str, Mapping[str, float]]) -> None:
    """What the machine of the reconciler is at now. CPU is the share since the sample before."""
    memory = psutil.virtual_memory()
    ResourceSample.objects.create(
        cpu_percent=psutil.cpu_percent(),
        memory_percent=memory.percent,
        memory_bytes=memory.total - memory.available,
        running=int(sum(each["running"] for each in engines.values())),
        waiting=int(sum(each["waiting"] for each in engines.values())),
        cache_percent=100 * max((each["cache"] for each in engines.values()), default=0.0),
        engines_up=len(engines),
    )


def drop_old_samples() -> int:
    """Forget what is older than a week; how many."""
    return ResourceSample.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]
