"""One-time sign-in links for the first admin: signed, good for an hour and for one use."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from gptstudio.accounts.models import User
from gptstudio.accounts.selectors import user_by_id
from gptstudio.accounts.services import spend_sign_in
from gptstudio.core.errors import NotAllowed

SALT = "gptstudio.sign-in"
SECONDS = 3600


def link(user: User) -> str:
    """An address that signs `user` in once. Signing in changes `last_login`, which spends the link."""
    token = signing.dumps([user.id, _stamp_of(user)], salt=SALT)
    return f"{settings.PUBLIC_URL}{reverse('sign-in', args=[token])}"


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """A page with one button, since scanners of mail and previews of chats follow links; the button spends the link and
    signs in as a password does: who has a second factor is asked for it. A spent, old or forged link gets a sentence.
    """
    refused = NotAllowed("This sign-in link is used up or too old.", fix="Make a new one with manage.py bootstrap.")
    try:
        user_id, stamp = signing.loads(token, salt=SALT, max_age=SECONDS)
    except signing.BadSignature as error:
        raise refused from error
    user = user_by_id(user_id)
    if user is None or not user.is_active or _stamp_of(user) != stamp:
        raise refused
    if request.method == "GET":
        return render(request, "overview/sign_in.html", {"user": user})
    if not spend_sign_in(user):
        raise refused
    answer: HttpResponse = perform_login(request, user, email_verification="none", redirect_url="/")
    return answer


def _stamp_of(user: User) -> str:
    return user.last_login.isoformat() if user.last_login else ""
