"""Members and keys in the console."""

from __future__ import annotations

from allauth.idp.oidc.models import Client, Token
from django.contrib import admin

from gptstudio.accounts.models import ApiKey, Membership
from gptstudio.core.console import WorkspaceAdmin

# Clients are registered with the workspace's keys: one without a workspace would open nothing.
admin.site.unregister([Client, Token])


@admin.register(Membership)
class MembershipAdmin(WorkspaceAdmin):
    list_display = ("user", "role", "workspace", "created_at")
    list_filter = ("role",)
    search_fields = ("user__email", "user__name")
    list_select_related = ("user", "workspace")


@admin.register(ApiKey)
class ApiKeyAdmin(WorkspaceAdmin):
    list_display = ("name", "prefix", "workspace", "created_by", "created_at", "expires_at", "revoked_at")
    search_fields = ("name", "prefix")
    exclude = ("hash", "client")
    list_select_related = ("workspace", "created_by")
