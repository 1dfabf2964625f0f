"""Fine-tunes, models and evaluations in the console."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from gptstudio.core.console import WorkspaceAdmin, workspaces_in_console
from training_app.models import Evaluation, FineTuningJob, LanguageModel, SafetyLimits, Study


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[LanguageModel]:
        """Models of one's workspaces, and the base models that every workspace shares."""
        shared = Q(workspace__isnull=True)
        return LanguageModel.objects.filter(shared | Q(workspace__in=workspaces_in_console(request)))


@admin.register(Evaluation)
class EvaluationAdmin(WorkspaceAdmin):
    workspace_lookup = "model__workspace"
    list_display = ("model", "rows", "is_safe", "created_at")
    list_filter = ("is_safe",)
    exclude = ("result",)
    list_select_related = ("model",)


@admin.register(Study)
class StudyAdmin(WorkspaceAdmin):
    list_display = ("name", "kind", "workspace", "base_model", "state", "created_by", "created_at")
    list_filter = ("kind", "state")
    search_fields = ("name", "id")
    list_select_related = ("workspace", "base_model", "created_by")


@admin.register(SafetyLimits)
class SafetyLimitsAdmin(WorkspaceAdmin):
    list_display = ("workspace", "scorer", "changed_by", "changed_at")
    list_select_related = ("workspace", "changed_by")
