"""What this process and its machine are at, for /metrics: processor, memory and, where torch finds one, graphics processors.

Shares are in percent, sizes in bytes. It knows no models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psutil
import torch
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class Gpu:
    """One graphics processor, with all that every program takes of it. `busy` None: the driver's library does not tell."""

    number: int
    used: int
    size: int
    busy: float | None


def gpus() -> list[Gpu]:
    """Those that torch may use; none where it was built without them."""
    if not torch.cuda.is_available():
        return []
    return [_gpu(number) for number in range(torch.cuda.device_count())]


def _gpu(number: int) -> Gpu:
    free, size = torch.cuda.mem_get_info(number)
    try:
        busy: float | None = float(torch.cuda.utilization(number))
    except (ModuleNotFoundError, RuntimeError):  # needs NVIDIA's library of its own
        busy = None
    return Gpu(number, size - free, size, busy)


class Machine(Collector):
    """Looked at whenever somebody asks."""

    def __init__(self, find_gpus: Callable[[], Sequence[Gpu]] = gpus) -> None:
        self._gpus = find_gpus
        self._process = psutil.Process()
        psutil.cpu_percent()  # shares are since the last look

    def collect(self) -> Iterator[Metric]:
        """One family a figure."""
        times, memory = self._process.cpu_times(), psutil.virtual_memory()
        spent = times.user + times.system
        yield CounterMetricFamily("engine_cpu_seconds", "Processor time of this process.", value=spent)
        resident = self._process.memory_info().rss
        yield GaugeMetricFamily("engine_memory_bytes", "Memory that this process holds.", value=resident)
        yield GaugeMetricFamily(
            "engine_host_cpu_percent", "Busy share of all cores since the last look.", value=psutil.cpu_percent()
        )
        used = memory.total - memory.available
        yield GaugeMetricFamily("engine_host_memory_bytes", "Memory that is taken on the machine.", value=used)
        yield GaugeMetricFamily("engine_host_memory_size_bytes", "Memory of the machine.", value=memory.total)
        yield from self._of_gpus(self._gpus())

    def _of_gpus(self, found: Sequence[Gpu]) -> Iterator[Metric]:
        used = GaugeMetricFamily("engine_gpu_memory_bytes", "Memory that is taken on the GPU.", labels=["gpu"])
        size = GaugeMetricFamily("engine_gpu_memory_size_bytes", "Memory of the GPU.", labels=["gpu"])
        busy = GaugeMetricFamily("engine_gpu_busy_percent", "Time in which the GPU worked, of late.", labels=["gpu"])
        for each in found:
            name = [str(each.number)]
            used.add_metric(name, each.used)
            size.add_metric(name, each.size)
            if each.busy is not None:
                busy.add_metric(name, each.busy)
        yield from (used, size, busy)
