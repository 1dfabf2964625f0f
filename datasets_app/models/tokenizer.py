"""Tokenizer: what the token policy of a recipe counts with. Training registers one for each base model."""

from __future__ import annotations

from pathlib import Path

from django.db import models

from gptstudio.core import storage


class Tokenizer(models.Model):
    """A model folder's tokenizer, by the base model's name. Without a workspace it is everybody's."""

    key = models.CharField(max_length=300, primary_key=True, help_text="`<name>`, or `<workspace id>/<name>`.")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, null=True, related_name="+")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    context_length = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """The folder that holds it; fetched where only the bucket has it."""
        return storage.asked_for(f"artifacts/{self.digest}")
