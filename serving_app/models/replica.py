"""EngineReplica: one inference server, reached by URL. Preview: a model that somebody wants to try."""

from __future__ import annotations

from django.db import models


class EngineReplica(models.Model):
    """What the reconciler last saw of it. `loaded` lists the immutable model names that it answers for."""

    name = models.CharField(max_length=40, primary_key=True)
    url = models.URLField()
    is_up = models.BooleanField(default=False)
    loaded = models.JSONField(default=list)
    contexts = models.JSONField(
        default=dict, help_text="Model name to the most tokens that it reads there, where told."
    )
    problems = models.JSONField(default=dict, help_text="Model name to the sentence why it could not be loaded.")
    last_seen_at = models.DateTimeField(null=True, blank=True)
    has_journal = models.BooleanField(default=True)
    is_vllm = models.BooleanField(default=False, help_text="Takes vLLM's own fields, which others may refuse.")
    usage_seq = models.BigIntegerField(default=0, help_text="How far the engine's usage journal was read.")
    drift_prompt = models.BigIntegerField(default=0, help_text="Journal minus ledger, prompt tokens; 0 is right.")
    drift_completion = models.BigIntegerField(default=0, help_text="The same for completion tokens.")
    usage_mark = models.CharField(
        max_length=240, blank=True, help_text="The journal row at `usage_seq`; another one there is another journal."
    )

    def __str__(self) -> str:
        return self.name


class Preview(models.Model):
    """A model that engines shall hold until `wanted_until`, though it is unreleased or idle."""

    model = models.OneToOneField("training.LanguageModel", on_delete=models.CASCADE, primary_key=True, related_name="+")
    wanted_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.model} until {self.wanted_until}"
