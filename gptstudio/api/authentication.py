"""Who calls: a program with a key in `Authorization: Bearer`, or a signed-in member's browser."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from gptstudio.accounts import selectors
from gptstudio.accounts.models import ApiKey, User
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import NotAllowed

BAD_KEY = "This API key is not valid: it is unknown, revoked, paused or expired."


def bearer(header: str) -> str | None:
    """The secret of an `Authorization: Bearer …` header, or None."""
    kind, _, secret = header.partition(" ")
    return secret.strip() if kind.lower() == "bearer" and secret.strip() else None


class KeyAuthentication(BaseAuthentication):
    """`request.user` becomes None-like for keys; `request.auth` is the ApiKey and `request.actor` acts."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        secret = bearer(request.headers.get("Authorization", ""))
        if secret is None:
            return None
        key = selectors.live_key(secret)
        if key is None:
            raise AuthenticationFailed(BAD_KEY, code="invalid_api_key")
        self.check_kind(request, key)
        request._request.actor = selectors.actor_of_key(key)  # type: ignore[attr-defined]
        return key.created_by, key

    def check_kind(self, request: Request, key: ApiKey) -> None:
        """Raise NotAllowed for a key that stands in web pages."""
        if key.is_publishable:
            raise NotAllowed(
                "A publishable key opens chat completions of its deployment alone.",
                fix="Use a secret key here, from a program of yours and not from a web page.",
                code="publishable_key",
            )

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="gptstudio"'


class PublishableKeyAuthentication(KeyAuthentication):
    """Takes publishable keys too, from pages of their origins; the request then knows its `public_origin`."""

    def check_kind(self, request: Request, key: ApiKey) -> None:
        if not key.is_publishable:
            return
        origin = request.headers.get("Origin", "")
        if origin not in key.origins:
            where = f"from pages of {origin[:200]}" if origin else "outside of web pages"
            raise NotAllowed(
                f"This publishable key may not be used {where}.",
                fix="An admin of the workspace can add the site to the key's origins.",
                code="origin_not_allowed",
            )
        request._request.public_origin = origin  # type: ignore[attr-defined]


class SignedInAuthentication(SessionAuthentication):
    """A member's browser session, in the workspace chosen there; unsafe methods need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        membership = selectors.membership(found[0], request._request.session.get("workspace"))
        if membership is not None:
            request._request.actor = selectors.actor_of_member(membership)  # type: ignore[attr-defined]
        return found


def actor_of(request: Request) -> Actor:
    """The actor of an authenticated request."""
    actor: Actor = request._request.actor  # type: ignore[attr-defined]
    return actor
