"""The base of every page in the admin console: read-only, and scoped to the workspaces where one may review.

It knows memberships by attribute alone (`user.memberships`, `role`), so that every app can stand on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

CONSOLE_ROLES = ("reviewer", "admin")


def workspaces_in_console(request: HttpRequest, roles: Sequence[str] = CONSOLE_ROLES) -> list[str]:
    """Ids of the workspaces whose console this person may open, in one of these roles."""
    user: Any = request.user
    if not user.is_authenticated or not user.is_active:
        return []
    return list(user.memberships.filter(role__in=roles).values_list("workspace_id", flat=True))


class WorkspaceAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows rows of the person's own workspaces. Nothing is added, changed or deleted past the services."""

    workspace_lookup = "workspace"
    console_roles: ClassVar[Sequence[str]] = CONSOLE_ROLES  # whose members see these rows
    list_filter_sheet = False
    compressed_fields = True
    readonly_fields: ClassVar[Any] = ()

    def workspaces_of(self, request: HttpRequest) -> list[str]:
        return workspaces_in_console(request, self.console_roles)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        inside = {f"{self.workspace_lookup}__in": self.workspaces_of(request)}
        rows: QuerySet[Any] = super().get_queryset(request).filter(**inside)
        return rows

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(self.workspaces_of(request))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(self.workspaces_of(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
