"""Addresses of the workspace's own pages."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from gptstudio.web.views import activity, invitations, keys, members, notices, settings, workspaces

app_name = "web"
urlpatterns = [
    path("favicon.ico", RedirectView.as_view(url="/static/studio/mark.svg"), name="favicon"),
    path("keys/", keys.keys, name="keys"),
    path("keys/new", keys.new, name="key-new"),
    path("keys/<slug:key_id>/", keys.key, name="key"),
    path("keys/<slug:key_id>/rotate", keys.rotate, name="key-rotate"),
    path("keys/<slug:key_id>/pause", keys.pause, name="key-pause"),
    path("keys/<slug:key_id>/resume", keys.resume, name="key-resume"),
    path("keys/<slug:key_id>/revoke", keys.revoke, name="key-revoke"),
    path("notices/", notices.notices, name="notices"),
    path("notices/<slug:destination_id>/", notices.destination, name="notice-destination"),
    path("notices/<slug:destination_id>/test", notices.test, name="notice-test"),
    path("notices/<slug:destination_id>/delete", notices.remove, name="notice-delete"),
    path("notices/deliveries/<slug:delivery_id>/retry", notices.send_again, name="delivery-retry"),
    path("settings/", settings.settings, name="settings"),
    path("settings/members/", members.members, name="members"),
    path("settings/members/domains", members.domains, name="member-domains"),
    path("settings/members/<slug:user_id>/", members.member, name="member"),
    path("settings/members/<slug:user_id>/block", members.block, name="member-block"),
    path("settings/members/<slug:user_id>/unblock", members.unblock, name="member-unblock"),
    path("settings/members/<slug:user_id>/remove", members.remove, name="member-remove"),
    path("settings/invitations/<slug:invitation_id>/resend", members.resend, name="invitation-resend"),
    path("settings/invitations/<slug:invitation_id>/withdraw", members.withdraw, name="invitation-withdraw"),
    path("settings/leave", members.leave, name="leave"),
    path("invitations/<str:token>", invitations.invitation, name="invitation"),
    path("activity/", activity.activity, name="activity"),
    path("activity/export", activity.export, name="activity-export"),
    path("workspaces/", workspaces.workspaces, name="workspaces"),
    path("workspaces/new", workspaces.new, name="workspace-new"),
    path("workspaces/join", workspaces.join, name="workspace-join"),
    path("workspaces/switch", workspaces.switch, name="workspace-switch"),
]
