"""Addresses of the workspace's own pages."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from gptstudio.web.views import activity, keys, notices, settings, workspaces

app_name = "web"
urlpatterns = [
    path("favicon.ico", RedirectView.as_view(url="/static/studio/mark.svg"), name="favicon"),
    path("keys/", keys.keys, name="keys"),
    path("keys/new", keys.new, name="key-new"),
    path("keys/<slug:key_id>/", keys.key, name="key"),
    path("keys/<slug:key_id>/rotate", keys.rotate, name="key-rotate"),
    path("keys/<slug:key_id>/revoke", keys.revoke, name="key-revoke"),
    path("notices/", notices.notices, name="notices"),
    path("notices/<slug:destination_id>/", notices.destination, name="notice-destination"),
    path("notices/<slug:destination_id>/test", notices.test, name="notice-test"),
    path("notices/<slug:destination_id>/delete", notices.remove, name="notice-delete"),
    path("notices/deliveries/<slug:delivery_id>/retry", notices.send_again, name="delivery-retry"),
    path("settings/", settings.settings, name="settings"),
    path("activity/", activity.activity, name="activity"),
    path("workspaces/", workspaces.workspaces, name="workspaces"),
    path("workspaces/new", workspaces.new, name="workspace-new"),
    path("workspaces/switch", workspaces.switch, name="workspace-switch"),
]
