"""Members and keys in the console."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client, Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

from gptstudio.accounts.models import ApiKey, Membership
from gptstudio.core.console import WorkspaceAdmin

# Clients are registered with the workspace's keys: one without a workspace would open nothing. Addresses, second factors,
# sessions and connected accounts are a person's own, of no workspace; what a person may do hangs on no group; with whom people may
# sign in is for the settings to say.
admin.site.unregister([Client, Token, EmailAddress, Authenticator, Group, UserSession])
admin.site.unregister([SocialAccount, SocialApp, SocialToken])


@admin.register(Membership)
class MembershipAdmin(WorkspaceAdmin):
    console_roles = ("admin",)  # `members.view`
    list_display = ("user", "role", "workspace", "created_at")
    list_filter = ("role",)
    search_fields = ("user__email", "user__name")
    list_select_related = ("user", "workspace")


@admin.register(ApiKey)
class ApiKeyAdmin(WorkspaceAdmin):
    console_roles = ("admin",)  # `keys.view`, of those who may open the console
    list_display = ("name", "prefix", "workspace", "created_by", "created_at", "expires_at", "paused_at", "revoked_at")
    search_fields = ("name", "prefix")
    exclude = ("hash", "previous_hash", "client")
    list_select_related = ("workspace", "created_by")
