"""Addresses of one's own account. allauth's, but for those of its that lead nowhere here."""

from __future__ import annotations

from allauth.account.urls import urlpatterns as account
from allauth.account.views import password_reset_from_key
from allauth.socialaccount.views import connections, login_cancelled, signup
from allauth.usersessions.views import list_usersessions
from django.urls import include, path, re_path

from gptstudio.web.views import providers, sessions, times

RESET = "account_reset_password_from_key"
urlpatterns = [
    path("", include([each for each in account if each.name != RESET])),
    # allauth's takes letters and digits alone, and the ids of people here have a `_`.
    re_path(r"^password/reset/key/(?P<uidb36>[0-9A-Za-z_]+)-(?P<key>.+)/$", password_reset_from_key, name=RESET),
    path("2fa/", include("allauth.mfa.urls")),
    path("connected/", connections, name="socialaccount_connections"),
    path("connected/signup/", signup, name="socialaccount_signup"),
    path("connected/cancelled/", login_cancelled, name="socialaccount_login_cancelled"),
    path("sessions/", list_usersessions, name="usersessions_list"),
    path("sessions/<int:session_id>/end/", sessions.end, name="session-end"),
    path("times/", times.times, name="times"),
    path("oidc/<slug:provider_id>/login/", providers.openid_login, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", providers.openid_callback, name="openid_connect_callback"),
    path("github/login/", providers.github_login, name="github_login"),
    path("github/login/callback/", providers.github_callback, name="github_callback"),
]
