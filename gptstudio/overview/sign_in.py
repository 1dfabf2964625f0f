"""One-time sign-in links for the first admin: signed, good for an hour and for one use."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from gptstudio.accounts.models import User
from gptstudio.accounts.selectors import user_by_id
from gptstudio.core.errors import NotAllowed

SALT = "gptstudio.sign-in"
SECONDS = 3600


def link(user: User) -> str:
    """An address that signs `user` in once. Signing in changes `last_login`, which spends the link."""
    stamp = user.last_login.isoformat() if user.last_login else ""
    token = signing.dumps([user.id, stamp], salt=SALT)
    return f"{settings.PUBLIC_URL}{reverse('sign-in', args=[token])}"


@require_GET
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """Follow a link. A spent, old or forged one gets a sentence."""
    from django.contrib.auth import login

    refused = NotAllowed("This sign-in link is used up or too old.", fix="Make a new one with manage.py bootstrap.")
    try:
        user_id, stamp = signing.loads(token, salt=SALT, max_age=SECONDS)
    except signing.BadSignature as error:
        raise refused from error
    user = user_by_id(user_id)
    if user is None or not user.is_active or (user.last_login.isoformat() if user.last_login else "") != stamp:
        raise refused
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect("/")
