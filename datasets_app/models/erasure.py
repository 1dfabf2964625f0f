"""Erasure: what somebody had erased from a data set. Every later version follows it. Holds no text."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from datasets_app.models.dataset import Dataset


class Erasure(models.Model):
    """`entries` are those of curation's option `erased`: phrases by their digest, records by file and number."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="erasures")
    entries = models.JSONField(default=list)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"Erased from {self.dataset}"
