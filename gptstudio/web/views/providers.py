"""The way to a provider and back. allauth walks it; here is when it is there, and what is said when it breaks off."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.github.views import oauth2_callback, oauth2_login
from allauth.socialaccount.providers.openid_connect import views as openid
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from requests import RequestException

from gptstudio.core.errors import Unavailable

View = Callable[..., HttpResponse]


def _where_set_up(view: View) -> View:
    """Not there unless its provider is set up; a provider that does not answer, or nonsense, is said to be away."""

    @wraps(view)
    def guarded(request: HttpRequest, provider_id: str = "github") -> HttpResponse:
        try:
            name = get_adapter().get_app(request, provider_id).name
        except SocialApp.DoesNotExist as error:
            raise Http404 from error
        try:
            return view(request, **({} if provider_id == "github" else {"provider_id": provider_id}))
        except (RequestException, KeyError) as error:
            raise Unavailable(
                f"{name} does not answer as it should.",
                fix="Try again in a minute, or sign in with your password. If it stays, tell whoever runs this studio.",
            ) from error

    return login_not_required(guarded)


def _leaving(view: View) -> View:
    """A page that leads on by itself, instead of a redirect: the policy lets forms go nowhere but here."""

    def left(request: HttpRequest, **names: Any) -> HttpResponse:
        response = view(request, **names)
        if response.status_code != 302:
            return response
        return render(request, "socialaccount/leaving.html", {"address": response["Location"]})

    return left


openid_login = _where_set_up(_leaving(openid.login))
openid_callback = _where_set_up(openid.callback)
github_login = _where_set_up(_leaving(oauth2_login))
github_callback = _where_set_up(oauth2_callback)
