"""With whose accounts people may sign in beside a password: what the environment says, as allauth wants it said.

Google and Microsoft are OpenID providers like any other; GitHub is none and has a dialect of its own.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from gptstudio.settings import env

GOOGLE = "https://accounts.google.com"
MICROSOFT = "https://login.microsoftonline.com/{tenant}/v2.0"
# Tokens for these name another issuer than the one they were asked of, so nobody could tell whose they are.
ANY_TENANT = ("common", "organizations")


def providers() -> dict[str, Any]:
    """SOCIALACCOUNT_PROVIDERS: those whose client is set, and no others."""
    openid = [each for each in (_google(), _microsoft(), _any()) if each]
    github = _client("GITHUB")
    found: dict[str, Any] = {"github": {"APPS": [{**github, "name": "GitHub"}]}} if github else {}
    return found | ({"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": openid}} if openid else {})


def _client(name: str) -> dict[str, Any]:
    """A client's id and secret; nothing where neither is set."""
    found = {"client_id": env.text(f"{name}_CLIENT_ID"), "secret": env.text(f"{name}_CLIENT_SECRET")}
    if any(found.values()) and not all(found.values()):
        raise ImproperlyConfigured(f"Set both {name}_CLIENT_ID and {name}_CLIENT_SECRET, or neither of them.")
    return found if any(found.values()) else {}


def _openid(client: dict[str, Any], key: str, name: str, url: str) -> dict[str, Any]:
    return {**client, "provider_id": key, "name": name, "settings": {"server_url": url}} if client else {}


def _google() -> dict[str, Any]:
    return _openid(_client("GOOGLE"), "google", "Google", GOOGLE)


def _microsoft() -> dict[str, Any]:
    client, tenant = _client("MICROSOFT"), env.text("MICROSOFT_TENANT")
    if client and (not tenant or tenant in ANY_TENANT):
        raise ImproperlyConfigured(
            "MICROSOFT_TENANT says whose people may sign in. Set it to your tenant's id or domain, or to consumers."
        )
    return _openid(client, "microsoft", "Microsoft", MICROSOFT.format(tenant=tenant))


def _any() -> dict[str, Any]:
    client, url = _client("OIDC"), env.text("OIDC_URL").rstrip("/")
    if client and not url.startswith(("https://", "http://")):
        raise ImproperlyConfigured("OIDC_URL is the issuer's address. Set it to one that begins with https://.")
    return _openid(client, "oidc", env.text("OIDC_NAME", "Single sign-on")[:40], url)
