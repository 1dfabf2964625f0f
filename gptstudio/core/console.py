"""The base of every page in the admin console: read-only, and scoped to the workspaces where one may review.

It knows memberships by attribute alone (`user.memberships`, `role`), so that every app can stand on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

MOST = 10_000
CONSOLE_ROLES = ("reviewer", "admin")


def workspaces_in_console(request: HttpRequest, roles: Sequence[str] = CONSOLE_ROLES) -> list[str]:
    """Ids of the workspaces whose console this person may open, in one of these roles."""
    user: Any = request.user
    if not user.is_authenticated or not user.is_active:
        return []
    inside: list[tuple[str, str]] | None = getattr(request, "console_memberships", None)
    if inside is None:  # asked for each table that the side may list
        inside = list(user.memberships.filter(role__in=CONSOLE_ROLES).values_list("workspace_id", "role"))
        request.console_memberships = inside  # type: ignore[attr-defined]
    return [workspace_id for workspace_id, role in inside if role in roles]


class Newest(Paginator):  # type: ignore[type-arg]
    """Pages of a table with rows by the million: they are counted to MOST. Whoever wants an older row searches for it."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST].count())


def among_newest(field: str, words: str) -> type[SimpleListFilter]:
    """A filter by the values that a field of the newest MOST rows has, for tables with rows by the million."""

    class AmongNewest(SimpleListFilter):
        title, parameter_name = words, field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            newest = model_admin.get_queryset(request).order_by("-pk").values_list(field, flat=True)[:MOST]
            return [(value, value) for value in sorted({*newest, *filter(None, [self.value()])})]

        def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return AmongNewest


class WorkspaceAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows rows of the person's own workspaces. Nothing is added, changed or deleted past the services."""

    workspace_lookup = "workspace"
    console_roles: ClassVar[Sequence[str]] = CONSOLE_ROLES  # whose members see these rows
    list_filter_sheet = False
    list_per_page = 50
    show_full_result_count = False  # of all rows, beside those that were found
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
