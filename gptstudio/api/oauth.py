"""OAuth 2 for programs: a client's id and secret are exchanged for an access token that passes within the hour.

allauth's provider answers; what it offers beyond client credentials has no address here. A token opens what its client's
key opens, no more than the scopes that were asked for, until the key is revoked or expires.
"""

from __future__ import annotations

from typing import Any

from allauth.core.internal.httpkit import extract_basic_auth
from allauth.idp.oidc.models import Client
from allauth.idp.oidc.views import RevokeView, TokenView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from gptstudio.accounts.policies import SCOPES
from gptstudio.accounts.selectors import live_client

METHODS = [Client.AuthenticationMethod.CLIENT_SECRET_BASIC, Client.AuthenticationMethod.CLIENT_SECRET_POST]


def _stranger(request: HttpRequest) -> HttpResponse | None:
    """The refusal of who names no live client, before allauth looks at the secret."""
    client_id = extract_basic_auth(request.headers)[0] or request.POST.get("client_id", "")
    if live_client(client_id) is not None:
        return None
    response = JsonResponse({"error": "invalid_client"}, status=401)
    response["WWW-Authenticate"] = 'Basic realm="gptstudio"'
    return response


class AccessToken(TokenView):  # type: ignore[misc]
    """POST /oauth/token: RFC 6749, 4.4. A client whose key is revoked, paused or expired is none."""

    def post(self, request: HttpRequest) -> HttpResponse:
        response = _stranger(request)
        if response is None and request.POST.get("grant_type") != Client.GrantType.CLIENT_CREDENTIALS:
            response = JsonResponse({"error": "unsupported_grant_type"}, status=400)
        if response is None:
            response = super().post(request)
        response["Cache-Control"] = "no-store"
        return response


class EndToken(RevokeView):  # type: ignore[misc]
    """POST /oauth/revoke: RFC 7009."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _stranger(request) or super().post(request)


@require_safe
def metadata(request: HttpRequest) -> JsonResponse:
    """What there is, for clients that look for it: RFC 8414."""

    def address(name: str) -> str:
        return request.build_absolute_uri(reverse(name))

    body: dict[str, Any] = {
        "issuer": request.build_absolute_uri("/").rstrip("/"),
        "token_endpoint": address("oauth-token"),
        "revocation_endpoint": address("oauth-revoke"),
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "grant_types_supported": [Client.GrantType.CLIENT_CREDENTIALS],
        "response_types_supported": [],
        "scopes_supported": list(SCOPES),
        "service_documentation": address("api:docs"),
    }
    response = JsonResponse(body)
    response["Access-Control-Allow-Origin"] = "*"
    return response
