"""Data sets and their versions in the console."""

from __future__ import annotations

from django.contrib import admin

from datasets_app.models import Dataset, DatasetVersion
from gptstudio.core.console import WorkspaceAdmin


@admin.register(Dataset)
class DatasetAdmin(WorkspaceAdmin):
    list_display = ("name", "workspace", "created_by", "created_at", "archived_at")
    search_fields = ("name", "id")
    list_select_related = ("workspace", "created_by")


@admin.register(DatasetVersion)
class DatasetVersionAdmin(WorkspaceAdmin):
    workspace_lookup = "dataset__workspace"
    list_display = ("dataset", "number", "state", "digest", "created_by", "created_at")
    list_filter = ("state",)
    search_fields = ("dataset__name", "id", "digest")
    exclude = ("report", "lease_holder", "lease_until", "attempt")
    list_select_related = ("dataset", "created_by")
