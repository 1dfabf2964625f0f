"""Pausing a key, and letting it go on."""

from __future__ import annotations

import pytest
from django.test import Client

from gptstudio.accounts import services
from gptstudio.accounts.policies import system
from gptstudio.accounts.selectors import live_key
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(as_alice):
    return services.issue_key(as_alice, workspace_id=as_alice.workspace_id, name="shop", scopes=["chat"])


def test_a_paused_key_opens_nothing_until_it_goes_on(issued, as_alice) -> None:
    key, secret = issued
    assert live_key(secret) is not None
    services.pause_key(as_alice, key=key, reason="It asks in a loop.")
    assert live_key(secret) is None
    with pytest.raises(Conflict, match="paused already"):
        services.pause_key(as_alice, key=key, reason="Again.")
    with pytest.raises(Conflict, match="revoked, paused or expired"):
        services.rotate_key(as_alice, key=key)
    services.resume_key(as_alice, key=key, reason="Mended.")
    assert live_key(secret) is not None
    with pytest.raises(Conflict, match="is not paused"):
        services.resume_key(as_alice, key=key, reason="Again.")
    lines = AuditEvent.objects.filter(action__in=("key.paused", "key.resumed")).order_by("id")
    assert [each.data["reason"] for each in lines] == ["It asks in a loop.", "Mended."]


def test_what_is_revoked_is_neither_paused_nor_resumed(issued, as_alice) -> None:
    key, secret = issued
    services.pause_key(as_alice, key=key, reason="Odd.")
    services.revoke_key(as_alice, key=key)
    for act in (services.pause_key, services.resume_key):
        with pytest.raises(Conflict, match="is revoked"):
            act(as_alice, key=key, reason="x")
    assert live_key(secret) is None


def test_a_reason_is_needed_and_only_admins_of_the_workspace_pause(issued, as_alice, as_bob, as_charlie) -> None:
    key, _secret = issued
    for act in (services.pause_key, services.resume_key):
        for reason in (" ", "x" * 301):
            with pytest.raises(Invalid):
                act(as_alice, key=key, reason=reason)
        for actor in (as_bob, as_charlie):
            with pytest.raises(NotAllowed):
                act(actor, key=key, reason="x")


def test_an_oauth_clients_secret_buys_no_token_meanwhile(as_alice) -> None:
    made = {"workspace_id": as_alice.workspace_id, "name": "crm", "scopes": ["models:read"], "as_client": True}
    key, secret = services.issue_key(as_alice, **made)
    asked = {"grant_type": "client_credentials", "client_id": key.client_id, "client_secret": secret}

    def token():
        return Client().post("/oauth/token", asked)

    bearer = {"Authorization": f"Bearer {token().json()['access_token']}"}
    assert Client(headers=bearer).get("/v1/models").status_code == 200
    services.pause_key(as_alice, key=key, reason="Odd.")
    assert token().status_code == 401
    assert Client(headers=bearer).get("/v1/models").status_code == 401
    services.resume_key(as_alice, key=key, reason="Fine.")
    assert Client(headers=bearer).get("/v1/models").status_code == 200


def test_the_page_pauses_and_resumes_and_says_who_and_why(issued, alice, workspace) -> None:
    key, secret = issued
    browser, page = Client(), f"/keys/{key.id}/"
    browser.force_login(alice)
    assert browser.post(f"{page}pause", {"reason": ""}).status_code == 400
    assert browser.post(f"{page}pause", {"reason": "Odd."}).status_code == 302
    refused = Client(headers={"Authorization": f"Bearer {secret}"}).get("/v1/models")
    assert refused.status_code == 401 and refused.json()["error"]["code"] == "invalid_api_key"
    shown = browser.get(page).content.decode()
    assert "It is paused and opens nothing." in shown and "Odd." in shown and "Revoke shop" in shown
    assert "paused" in browser.get("/keys/").content.decode()
    assert browser.post(f"{page}resume", {"reason": "Fine."}).status_code == 302
    dora = services.create_user(email="dora@care.example", password="correct horse battery")
    services.add_member(system(workspace.id), workspace_id=workspace.id, user=dora, role="reviewer")
    browser.force_login(dora)
    assert browser.post(f"{page}pause", {"reason": "x"}).status_code == 403
