"""Fine-tunes, models and evaluations in the console."""

from __future__ import annotations

from django.contrib import admin

from gptstudio.core.console import WorkspaceAdmin
from training_app.models import Evaluation, FineTuningJob, LanguageModel


@admin.register(FineTuningJob)
class FineTuningJobAdmin(WorkspaceAdmin):
    list_display = ("name", "workspace", "base_model", "state", "phase", "created_by", "created_at")
    list_filter = ("state", "method")
    search_fields = ("name", "id")
    exclude = ("offsets", "lease_holder", "lease_until")
    list_select_related = ("workspace", "base_model", "created_by")


@admin.register(LanguageModel)
class LanguageModelAdmin(WorkspaceAdmin):
    list_display = ("name", "title", "kind", "workspace", "digest", "created_at")
    list_filter = ("kind",)
    search_fields = ("name", "title", "digest")
    list_select_related = ("workspace",)


@admin.register(Evaluation)
class EvaluationAdmin(WorkspaceAdmin):
    workspace_lookup = "model__workspace"
    list_display = ("model", "rows", "is_safe", "created_at")
    list_filter = ("is_safe",)
    exclude = ("result",)
    list_select_related = ("model",)
