"""With whose accounts people may sign in, as the environment says; half a client stops the start with a sentence."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from gptstudio.settings.sign_in import providers

KINDS = ("GOOGLE", "MICROSOFT", "GITHUB", "OIDC")


@pytest.fixture(autouse=True)
def _unset(monkeypatch) -> None:
    for kind in KINDS:
        for name in ("CLIENT_ID", "CLIENT_SECRET", "TENANT", "URL", "NAME"):
            monkeypatch.delenv(f"{kind}_{name}", raising=False)


def _set(monkeypatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_without_a_client_there_is_no_provider() -> None:
    assert providers() == {}


def test_every_client_that_is_set_is_a_provider(monkeypatch) -> None:
    for kind in KINDS:
        _set(monkeypatch, **{f"{kind}_CLIENT_ID": kind, f"{kind}_CLIENT_SECRET": "s"})
    _set(
        monkeypatch,
        MICROSOFT_TENANT="care.example",
        OIDC_URL="https://id.care.example/realms/care/",
        OIDC_NAME="Care ID",
    )
    found = providers()
    assert [app["client_id"] for app in found["github"]["APPS"]] == ["GITHUB"]
    openid = {
        app["provider_id"]: (app["name"], app["settings"]["server_url"]) for app in found["openid_connect"]["APPS"]
    }
    assert openid == {
        "google": ("Google", "https://accounts.google.com"),
        "microsoft": ("Microsoft", "https://login.microsoftonline.com/care.example/v2.0"),
        "oidc": ("Care ID", "https://id.care.example/realms/care"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_client_is_named(monkeypatch, kind) -> None:
    _set(monkeypatch, **{f"{kind}_CLIENT_ID": "x"})
    with pytest.raises(ImproperlyConfigured, match=f"Set both {kind}_CLIENT_ID and {kind}_CLIENT_SECRET"):
        providers()


@pytest.mark.parametrize("tenant", ["", "common", "organizations"])
def test_a_tenant_that_is_none_is_refused(monkeypatch, tenant) -> None:
    _set(monkeypatch, MICROSOFT_CLIENT_ID="x", MICROSOFT_CLIENT_SECRET="s", MICROSOFT_TENANT=tenant)
    with pytest.raises(ImproperlyConfigured, match="MICROSOFT_TENANT"):
        providers()


@pytest.mark.parametrize("url", ["", "id.care.example"])
def test_an_issuer_that_is_no_address_is_refused(monkeypatch, url) -> None:
    _set(monkeypatch, OIDC_CLIENT_ID="x", OIDC_CLIENT_SECRET="s", OIDC_URL=url)
    with pytest.raises(ImproperlyConfigured, match="OIDC_URL is the issuer's address"):
        providers()
