"""EngineReplica: one inference server, reached by URL."""

from __future__ import annotations

from django.db import models


class EngineReplica(models.Model):
    """What the reconciler last saw of it. `loaded` lists the immutable model names that it answers for."""

    name = models.CharField(max_length=40, primary_key=True)
    url = models.URLField()
    is_up = models.BooleanField(default=False)
    loaded = models.JSONField(default=list)
    problems = models.JSONField(default=dict, help_text="Model name to the sentence why it could not be loaded.")
    last_seen_at = models.DateTimeField(null=True, blank=True)
    usage_seq = models.BigIntegerField(default=0, help_text="How far the engine's usage journal was read.")

    def __str__(self) -> str:
        return self.name
