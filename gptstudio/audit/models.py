"""AuditEvent: one line of the log."""

from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """Written once inside the transaction of the act it tells of. `hash` covers the row and `previous_hash`."""

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.PROTECT, related_name="+", null=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=48)
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    subject_label = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["workspace", "-id"], name="audit_by_workspace"),
            models.Index(fields=["subject_id", "-id"], name="audit_by_subject"),
            models.Index(fields=["workspace", "action", "-id"], name="audit_by_act"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.subject_id}"


class ChainHead(models.Model):
    """One row a workspace (and one for the studio itself): the chain's last hash, and the studio's seal on it. Locked while a
    line is appended.
    """

    key = models.CharField(max_length=48, primary_key=True)
    hash = models.CharField(max_length=64)
    seal = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.key} {self.hash[:8]}"
