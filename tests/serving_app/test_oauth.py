"""An OAuth client's token in place of a key, through the official client: who is billed, what is limited, when it ends."""

from __future__ import annotations

import httpx
import openai
import pytest
from allauth.idp.oidc.models import Token
from django.utils import timezone

from gptstudio.accounts import services
from serving_app.models import Completion, UsageEvent

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def register(as_alice, workspace, studio):
    """Register a client with these limits; gives its key and a token."""

    def make(*scopes: str, **limits):
        key, secret = services.issue_key(
            as_alice, workspace_id=workspace.id, name="backend", scopes=scopes or ["chat"], as_client=True, **limits
        )
        form = {"grant_type": "client_credentials"}
        answer = httpx.post(f"{studio}/oauth/token", data=form, auth=(key.client_id, secret), timeout=60)
        return key, answer.json()["access_token"]

    return make


def hello(client, model):
    return client.chat.completions.create(model=model.name, messages=HELLO, max_tokens=3)


def test_a_question_is_billed_to_the_client_in_the_ledger_and_the_request_log(register, client_for, base_model):
    key, token = register()
    answer = hello(client_for(token), base_model)
    [logged] = Completion.objects.all()
    assert (logged.api_key_id, logged.workspace_id, logged.user_id) == (key.id, key.workspace_id, key.created_by_id)
    events = {event.kind: event for event in UsageEvent.objects.all()}
    assert set(events) == {"reserve", "settle"} and {event.api_key_id for event in events.values()} == {key.id}
    assert events["settle"].completion_tokens == answer.usage.completion_tokens == 3


def test_budget_and_limits_of_the_client_hold_whatever_token_is_shown(register, client_for, base_model):
    _key, poor = register(budget_micro=1)
    with pytest.raises(openai.RateLimitError) as refused:
        hello(client_for(poor), base_model)
    assert refused.value.code == "insufficient_quota"
    _key, token = register(requests_per_minute=1)
    hello(client_for(token), base_model)
    with pytest.raises(openai.RateLimitError) as refused:
        hello(client_for(token), base_model)
    assert refused.value.code == "rate_limit_exceeded"


def test_a_token_without_the_scope_is_refused(register, client_for, base_model):
    _key, token = register("files:read")
    assert client_for(token).files.list().data == []
    with pytest.raises(openai.PermissionDeniedError):
        hello(client_for(token), base_model)


def test_a_revoked_client_and_an_expired_token_are_a_401_in_the_envelope(register, client_for, base_model, as_alice):
    key, token = register()
    _other, passing = register()
    client = client_for(token)
    hello(client, base_model)
    services.revoke_key(as_alice, key=key)
    with pytest.raises(openai.AuthenticationError) as refused:
        hello(client, base_model)
    assert refused.value.code == "invalid_api_key"
    Token.objects.update(expires_at=timezone.now())
    with pytest.raises(openai.AuthenticationError) as refused:
        client_for(passing).models.list()
    assert refused.value.code == "invalid_api_key"
