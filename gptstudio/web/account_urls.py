"""Addresses of one's own account. allauth's, but for those of its that lead nowhere here."""

from __future__ import annotations

from allauth.socialaccount.views import connections, login_cancelled, signup
from django.urls import include, path

from gptstudio.web.views import providers

urlpatterns = [
    path("", include("allauth.account.urls")),
    path("2fa/", include("allauth.mfa.urls")),
    path("connected/", connections, name="socialaccount_connections"),
    path("connected/signup/", signup, name="socialaccount_signup"),
    path("connected/cancelled/", login_cancelled, name="socialaccount_login_cancelled"),
    path("oidc/<slug:provider_id>/login/", providers.openid_login, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", providers.openid_callback, name="openid_connect_callback"),
    path("github/login/", providers.github_login, name="github_login"),
    path("github/login/callback/", providers.github_callback, name="github_callback"),
]
