"""The audit log in the console: searchable, never changed."""

from __future__ import annotations

from django.contrib import admin

from gptstudio.audit.models import AuditEvent
from gptstudio.core.console import WorkspaceAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(WorkspaceAdmin):
    list_display = ("at", "actor_label", "action", "subject_kind", "subject_label", "workspace")
    list_filter = ("action", "actor_kind", "subject_kind")
    search_fields = ("actor_label", "subject_id", "subject_label", "action")
    date_hierarchy = "at"
    list_select_related = ("workspace",)
