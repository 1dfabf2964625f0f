"""KeptAnswer: what a request with an `Idempotency-Key` was answered, for a caller who sends it again."""

from __future__ import annotations

from django.db import models


class KeptAnswer(models.Model):
    """One key of one caller, as a digest; `body` is sealed (see `services`). `status` is None while the first request is
    still being worked on.
    """

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    caller = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=100, blank=True)
    body = models.TextField(blank=True)
    begun_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "caller", "key"], name="one_answer_a_key")]

    def __str__(self) -> str:
        return f"{self.caller} {self.status or 'in flight'}"
