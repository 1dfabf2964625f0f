"""Deployment: a stable name that programs call. Its revisions say which models answer, and in which shares."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from gptstudio.core.ids import PublicIdField


class Deployment(models.Model):
    """The newest revision is in force; rolling back writes a new one."""

    id = PublicIdField(prefix="dep_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="deployments")
    name = models.SlugField(max_length=60)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)  # each request reads it here; DeploymentStop says why

    class Meta:
        ordering = ("-created_at",)
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="deployment_names_differ")]

    def __str__(self) -> str:
        return self.name


class DeploymentStop(models.Model):
    """A kill switch that somebody threw: it holds until it is lifted. What was said and done then stays."""

    id = PublicIdField(prefix="stop_")
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="stops")
    reason = models.TextField()
    stopped_by_label = models.CharField(max_length=200)
    stopped_at = models.DateTimeField(auto_now_add=True)
    lifted_reason = models.TextField(blank=True)
    lifted_by_label = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-stopped_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["deployment"], condition=models.Q(lifted_at__isnull=True), name="one_stop_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.deployment.name}, stopped by {self.stopped_by_label}"


class DeploymentRevision(models.Model):
    """`targets` is a list of {model: id, weight: n}; weights are relative."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    targets = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    created_by_label = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        constraints = [models.UniqueConstraint(fields=["deployment", "number"], name="revisions_count_up")]

    def __str__(self) -> str:
        return f"{self.deployment.name}, revision {self.number}"
