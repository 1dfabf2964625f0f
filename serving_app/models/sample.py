"""ResourceSample: how busy the machine and its engines were at a moment."""

from __future__ import annotations

from django.db import models


class ResourceSample(models.Model):
    """One look of the reconciler, every fifteen seconds."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    cpu_percent = models.FloatField()
    memory_percent = models.FloatField()
    memory_bytes = models.BigIntegerField()
    engines_up = models.PositiveIntegerField()
    running = models.PositiveIntegerField(help_text="Sequences that engines write at.")
    waiting = models.PositiveIntegerField()
    cache_percent = models.FloatField(help_text="The fullest key-value cache of an engine.")
    engine_cpu_percent = models.FloatField(null=True, help_text="Of one core, by all engines' processes that tell.")
    engine_memory_bytes = models.BigIntegerField(null=True, help_text="Of all engines' processes that tell.")
    gpu_memory_percent = models.FloatField(null=True, help_text="Of all GPUs of engines; none: no engine tells of one.")
    gpu_busy_percent = models.FloatField(null=True, help_text="The busiest GPU.")

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.at}"
