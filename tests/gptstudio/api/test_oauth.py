"""OAuth 2 client credentials over HTTP: a client's secret becomes a token, and the token opens what its key opens."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from allauth.idp.oidc.models import Client, Token
from django.utils import timezone

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import ApiKey
from gptstudio.core.errors import Invalid

GRANT = {"grant_type": "client_credentials"}
NO_CLIENT = {"error": "invalid_client"}


@pytest.fixture
def registered(transactional_db, as_alice, workspace) -> tuple[ApiKey, str]:
    return services.issue_key(
        as_alice, workspace_id=workspace.id, name="backend", scopes=["files:read", "keys:write"], as_client=True
    )


@pytest.fixture
def http(live_server):
    with httpx.Client(base_url=live_server.url, timeout=60) as client:
        yield client


def token_for(http, registered, **more) -> str:
    key, secret = registered
    answer = http.post("/oauth/token", data={**GRANT, **more}, auth=(key.client_id, secret))
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "Bearer" and body["expires_in"] == 3600
    return body["access_token"]


def asked(http, token: str, path: str = "/api/v1/datasets") -> int:
    return http.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_opens_what_the_clients_scopes_allow_and_no_more(http, registered):
    token = token_for(http, registered)
    assert [asked(http, token, f"/api/v1/{noun}") for noun in ("datasets", "api-keys", "alerts/rules")] == [
        200,
        200,
        403,
    ]


def test_fewer_scopes_can_be_asked_for_and_more_cannot(http, registered):
    narrow = token_for(http, registered, scope="files:read")
    assert [asked(http, narrow), asked(http, narrow, "/api/v1/api-keys")] == [200, 403]
    key, secret = registered
    more = http.post("/oauth/token", data={**GRANT, "scope": "audit:read"}, auth=(key.client_id, secret))
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")


def test_checking_a_secret_takes_no_time_that_others_wait_for(registered, as_alice, settings):
    """Tokens are made inside of a transaction; a password's hash, meant to be slow, would hold it."""
    assert settings.PASSWORD_HASHERS[-1].endswith("ClientSecretHasher"), "people's passwords are made by another"
    key, secret = registered
    client = Client.objects.get(id=key.client_id)
    assert client.secret.startswith("client_secret$1$") and client.check_secret(secret)
    services.rotate_key(as_alice, key=key)
    client.refresh_from_db()
    assert client.secret.startswith("client_secret$1$") and not client.check_secret(secret)


def test_the_secret_may_come_in_the_body_too(http, registered):
    key, secret = registered
    form = {**GRANT, "client_id": key.client_id, "client_secret": secret}
    assert asked(http, http.post("/oauth/token", data=form).json()["access_token"]) == 200


@pytest.mark.parametrize("wrong", ["", "wrong"])
def test_a_wrong_secret_or_client_gets_no_token(http, registered, wrong):
    for client_id in (registered[0].client_id, "client_nobody"):
        answer = http.post("/oauth/token", data=GRANT, auth=(client_id, wrong))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("path", ["token", "revoke"])
@pytest.mark.parametrize("client_id", ["", "\x00", "x" * 5000, "é"])
def test_a_name_that_no_client_has_is_refused(http, db, path, client_id):
    answer = http.post(f"/oauth/{path}", data={**GRANT, "client_id": client_id, "client_secret": "x", "token": "\x00"})
    assert (answer.status_code, answer.json()) == (401, NO_CLIENT)


def test_other_grants_are_not_offered(http, registered):
    key, secret = registered
    for grant in (
        "authorization_code",
        "refresh_token",
        "password",
        "urn:ietf:params:oauth:grant-type:device_code",
        "",
    ):
        answer = http.post("/oauth/token", data={"grant_type": grant}, auth=(key.client_id, secret))
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_client_secret_is_no_key(http, registered):
    assert asked(http, registered[1]) == 401


def test_a_revoked_client_and_its_tokens_are_dead_at_once(http, registered, as_alice):
    token = token_for(http, registered)
    key, secret = registered
    client_id = key.client_id
    services.revoke_key(as_alice, key=key)
    assert asked(http, token) == 401 and not Token.objects.exists() and not Client.objects.exists()
    answer = http.post("/oauth/token", data=GRANT, auth=(client_id, secret))
    assert (answer.status_code, answer.json()) == (401, NO_CLIENT)
    assert ApiKey.objects.get(id=key.id).is_client


def test_an_expired_client_gets_no_token_and_those_it_has_are_dead(http, registered):
    token = token_for(http, registered)
    key, secret = registered
    ApiKey.objects.filter(id=key.id).update(expires_at=timezone.now())
    assert asked(http, token) == 401
    assert http.post("/oauth/token", data=GRANT, auth=(key.client_id, secret)).json() == NO_CLIENT


def test_an_expired_token_is_refused_and_forgotten(http, registered):
    token = token_for(http, registered)
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert asked(http, token) == 401 and selectors.live_key(token) is None
    assert services.drop_expired_tokens() == 1 and not Token.objects.exists()


def test_a_program_can_give_its_token_back(http, registered):
    token = token_for(http, registered)
    other = token_for(http, registered)
    key, secret = registered
    assert http.post("/oauth/revoke", data={"token": token}, auth=(key.client_id, "wrong")).status_code == 401
    assert asked(http, token) == 200
    assert http.post("/oauth/revoke", data={"token": token}, auth=(key.client_id, secret)).status_code == 200
    assert [asked(http, token), asked(http, other)] == [401, 200]


def test_a_rotated_secret_ends_the_old_one_and_its_tokens(http, registered, as_alice):
    token = token_for(http, registered)
    key, old = registered
    key, new = services.rotate_key(as_alice, key=key)
    assert asked(http, token) == 401
    assert http.post("/oauth/token", data=GRANT, auth=(key.client_id, old)).status_code == 401
    assert asked(http, token_for(http, (key, new))) == 200


def test_a_client_is_no_key_for_web_pages(as_alice, workspace):
    pages = {"allowed_models": ["support"], "origins": ["https://shop.example"]}
    with pytest.raises(Invalid, match="no origins"):
        services.issue_key(as_alice, workspace_id=workspace.id, name="shop", scopes=["chat"], as_client=True, **pages)


def test_a_client_without_a_workspaces_key_opens_nothing(http, db):
    stray = Client(id="client_stray", name="stray", grant_types=Client.GrantType.CLIENT_CREDENTIALS)
    stray.set_secret("secret")
    stray.save()
    Token.objects.create(type="at", hash=selectors.key_hash("stray"), client=stray, expires_at=None)
    assert asked(http, "stray") == 401
    assert http.post("/oauth/token", data=GRANT, auth=(stray.id, "secret")).json() == NO_CLIENT


def test_what_there_is_can_be_discovered(http, registered):
    key, secret = registered
    for path in ("oauth-authorization-server", "openid-configuration"):
        found = http.get(f"/.well-known/{path}").json()
        assert found["grant_types_supported"] == ["client_credentials"] and "files:read" in found["scopes_supported"]
        answer = http.post(found["token_endpoint"], data=GRANT, auth=(key.client_id, secret))
        assert asked(http, answer.json()["access_token"]) == 200


def test_a_client_is_registered_by_rest(http, as_alice, workspace, transactional_db):
    _key, opener = services.issue_key(
        as_alice, workspace_id=workspace.id, name="maker", scopes=["keys:write", "files:read"]
    )
    headers = {"Authorization": f"Bearer {opener}"}
    asks = {"name": "nightly", "scopes": ["files:read"], "as_client": True}
    made = http.post("/api/v1/api-keys", json=asks, headers=headers).json()
    assert made["client_id"].startswith("client_")
    again = http.post("/oauth/token", data=GRANT, auth=(made["client_id"], made["secret"]))
    assert asked(http, again.json()["access_token"]) == 200
    overlap = {"old_works_until": (timezone.now() + timedelta(days=1)).isoformat()}
    refused = http.post(f"/api/v1/api-keys/{made['id']}/rotate", json=overlap, headers=headers)
    assert refused.status_code == 400 and "one secret" in refused.json()["title"]


def test_a_token_stops_with_the_member_who_registered_the_client(http, registered, as_alice, alice, workspace):
    token = token_for(http, registered)
    dora = services.create_user(email="dora@care.example")
    services.add_member(as_alice, workspace_id=workspace.id, user=dora, role="admin")
    services.leave_workspace(as_alice)
    assert asked(http, token) == 401
    key, secret = registered
    assert http.post("/oauth/token", data=GRANT, auth=(key.client_id, secret)).json() == NO_CLIENT
