"""/api/v1/api-keys, from issuing to revoking."""

from __future__ import annotations

from gptstudio.accounts.models import ApiKey
from gptstudio.accounts.selectors import live_key
from gptstudio.api.models import KeptAnswer

KEYS = "/api/v1/api-keys"


def test_a_key_is_issued_changed_rotated_and_revoked(program) -> None:
    ask = program("keys:write", "chat")
    made = ask("post", KEYS, {"name": "shop", "scopes": ["chat"], "tokens_per_minute": 500})
    assert made.status_code == 201 and made["Cache-Control"] == "no-store"
    body = made.json()
    assert live_key(body["secret"]).id == body["id"] and body["tokens_per_minute"] == 500
    one = f"{KEYS}/{body['id']}"
    changed = ask("patch", one, {"tokens_per_minute": None, "allowed_models": ["support"]}).json()
    assert changed["tokens_per_minute"] is None and changed["allowed_models"] == ["support"]
    rotated = ask("post", f"{one}/rotate", {"old_works_until": "2026-01-01T00:00:00Z"}).json()
    assert live_key(body["secret"]) is None and live_key(rotated["secret"]).id == body["id"]
    assert ask("post", f"{one}/revoke").json()["live"] is False
    assert live_key(rotated["secret"]) is None
    seen = ask("get", KEYS).json()["data"] + [ask("get", one).json()]
    assert not any("secret" in each or "hash" in each for each in seen)


def test_an_answer_with_a_secret_is_not_kept_for_repeats(program) -> None:
    ask = program("keys:write", "chat")
    headers = {"Idempotency-Key": "one"}
    for _ in range(2):
        ask("post", KEYS, {"name": "shop", "scopes": ["chat"]}, headers=headers)
    assert ApiKey.objects.filter(name="shop").count() == 2 and not KeptAnswer.objects.exists()


def test_a_scope_beyond_ones_own_is_refused(program) -> None:
    answer = program("keys:write")("post", KEYS, {"name": "shop", "scopes": ["chat"]})
    assert answer.status_code == 403 and "chat" in answer.json()["detail"]
