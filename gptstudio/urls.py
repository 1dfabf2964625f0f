"""Every address of the studio, by app."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from gptstudio.api import oauth
from gptstudio.overview.health import health, health_of_web
from gptstudio.overview.sign_in import sign_in

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
urlpatterns = [
    path("health", health, name="health"),
    path("health/web", health_of_web, name="health_of_web"),
    path("sign-in/<str:token>", sign_in, name="sign-in"),
    path("accounts/", include("gptstudio.web.account_urls")),
    path(".well-known/oauth-authorization-server", oauth.metadata, name="oauth-metadata"),
    path(".well-known/openid-configuration", oauth.metadata, name="openid-metadata"),
    path("oauth/token", oauth.AccessToken.as_view(), name="oauth-token"),
    path("oauth/revoke", oauth.EndToken.as_view(), name="oauth-revoke"),
    path("admin/", admin.site.urls),
    path("v1/", include("serving_app.openai.urls")),
    path("api/v1/", include("datasets_app.api.urls")),
    path("api/v1/", include("serving_app.api.urls")),
    path("api/v1/", include("training_app.api.urls")),
    path("api/v1/", include("gptstudio.overview.rest_urls")),
    path("api/v1/", include("gptstudio.api.urls")),
    path("", include("gptstudio.overview.urls")),
    path("", include("gptstudio.web.urls")),
    path("datasets/", include("datasets_app.web.urls")),
    path("", include("training_app.web.urls")),
    path("", include("serving_app.web.urls")),
]
