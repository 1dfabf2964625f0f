"""Deployments, requests and the ledger in the console."""

from __future__ import annotations

from django.contrib import admin

from gptstudio.core.console import Newest, WorkspaceAdmin, among_newest
from serving_app.models import Completion, Deployment, UsageEvent


@admin.register(Deployment)
class DeploymentAdmin(WorkspaceAdmin):
    list_display = ("name", "workspace", "created_by", "created_at", "stopped_at", "retired_at")
    search_fields = ("name", "id")
    list_select_related = ("workspace", "created_by")


@admin.register(Completion)
class CompletionAdmin(WorkspaceAdmin):
    list_display = ("id", "model_name", "api_key", "state", "finish_reason", "total_ms", "created_at")
    list_filter = ("state", among_newest("endpoint", "endpoint"))
    search_fields = ("id",)
    list_select_related = ("model", "api_key")
    paginator = Newest


@admin.register(UsageEvent)
class UsageEventAdmin(WorkspaceAdmin):
    list_display = (
        "at",
        "attempt_id",
        "kind",
        "model_name",
        "prompt_tokens",
        "completion_tokens",
        "cost_micro",
        "source",
    )
    list_filter = ("kind", "estimated")
    search_fields = ("attempt_id", "model_name")
    paginator = Newest
