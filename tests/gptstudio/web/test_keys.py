"""API keys: issued, shown once, revoked."""

from __future__ import annotations

import re

import pytest

from gptstudio.accounts import services
from gptstudio.accounts.models import ApiKey
from gptstudio.accounts.selectors import live_key

pytestmark = pytest.mark.django_db
FORM = {
    "name": "website",
    "scopes": ["chat"],
    "lifetime": "30",
    "budget_micro": "5",
    "monthly_budget_micro": "2",
    "requests_per_minute": "60",
}


def test_the_secret_is_shown_once_and_works(at_alice) -> None:
    answer = at_alice.post("/keys/new", FORM)
    secret = re.search(r'<code id="secret">(sk-studio-[^<]+)</code>', answer.content.decode())
    assert secret and answer.headers["Cache-Control"] == "no-store"
    key = live_key(secret[1])
    assert (
        key is not None
        and key.budget_micro == 5_000_000
        and key.monthly_budget_micro == 2_000_000
        and key.requests_per_minute == 60
        and key.expires_at
    )
    assert secret[1] not in at_alice.get("/keys/").content.decode()


def test_a_key_that_may_do_nothing_is_refused_beside_the_field_and_the_name_is_kept(at_alice) -> None:
    answer = at_alice.post("/keys/new", {"name": "website"})
    page = answer.content.decode()
    assert answer.status_code == 400 and "Choose at least one" in page and 'value="website"' in page
    assert not ApiKey.objects.exists()


def test_a_revoked_key_is_closed_and_said_to_be(at_alice) -> None:
    at_alice.post("/keys/new", FORM)
    key = ApiKey.objects.get()
    answer = at_alice.post(f"/keys/{key.id}/revoke", follow=True)
    key.refresh_from_db()
    assert not key.is_live and "is revoked" in answer.content.decode()


def test_an_editor_has_no_business_with_keys(at_bob) -> None:
    assert at_bob.get("/keys/").status_code == 403
    assert "/keys/" not in re.findall(r'href="([^"]+)"', at_bob.get("/settings/").content.decode())


def test_the_list_asks_the_same_few_queries_for_one_key_and_for_ten(at_alice, django_assert_num_queries) -> None:
    at_alice.post("/keys/new", FORM)
    with django_assert_num_queries(7):
        at_alice.get("/keys/")
    for _ in range(9):
        at_alice.post("/keys/new", FORM)
    with django_assert_num_queries(7):
        at_alice.get("/keys/")


def test_the_activity_page_finds_by_person_and_act(at_alice) -> None:
    at_alice.post("/keys/new", FORM)
    found = at_alice.get("/activity/?q=key").content.decode()
    assert "Issued a key" in found and "Made the workspace" not in found
    assert "Nothing matches" in at_alice.get("/activity/?q=zebra").content.decode()


def test_limits_are_seen_and_changed_on_the_keys_own_page(at_alice) -> None:
    at_alice.post("/keys/new", FORM)
    key = ApiKey.objects.get()
    assert 'value="60"' in at_alice.get(f"/keys/{key.id}/").content.decode()
    changed = {"name": "shop", "tokens_per_minute": "9000", "parallel_requests": "4"}
    page = at_alice.post(f"/keys/{key.id}/", changed, follow=True).content.decode()
    key.refresh_from_db()
    assert (key.name, key.tokens_per_minute, key.parallel_requests) == ("shop", 9000, 4)
    assert key.budget_micro is None and key.requests_per_minute is None and "Saved." in page
    assert "9,000 tokens a minute" in at_alice.get("/keys/").content.decode()


def test_a_limit_that_cannot_be_is_refused_beside_its_field(at_alice) -> None:
    at_alice.post("/keys/new", FORM)
    key = ApiKey.objects.get()
    answer = at_alice.post(f"/keys/{key.id}/", {"name": "shop", "tokens_per_minute": "0"})
    assert answer.status_code == 400 and "greater than or equal to 1" in answer.content.decode()


def test_a_rotated_keys_new_secret_is_shown_once_and_the_old_one_ends_when_it_was_told_to(at_alice) -> None:
    old = re.search(r"sk-studio-[^<]+", at_alice.post("/keys/new", FORM).content.decode())[0]
    key = ApiKey.objects.get()
    answer = at_alice.post(f"/keys/{key.id}/rotate", {"minutes": "60"})
    new = re.search(r'<code id="secret">(sk-studio-[^<]+)</code>', answer.content.decode())[1]
    assert answer.headers["Cache-Control"] == "no-store"
    assert live_key(old) == live_key(new) == key
    page = at_alice.get(f"/keys/{key.id}/").content.decode()
    assert "Two secrets open this key" in page and new not in page
    at_alice.post(f"/keys/{key.id}/rotate", {"minutes": "0"})
    assert live_key(old) is None and live_key(new) is None


def test_models_can_be_chosen_where_the_workspace_has_some(at_alice, starter) -> None:
    page = at_alice.post("/keys/new", {**FORM, "allowed_models": [starter.name]}).content.decode()
    assert "sk-studio-" in page and ApiKey.objects.get().allowed_models == [starter.name]
    refused = at_alice.post("/keys/new", {**FORM, "allowed_models": ["nothing"]})
    assert refused.status_code == 400


def test_a_publishable_key_shows_its_sites_and_changes_them_and_nothing_else_of_its_kind(at_alice, as_alice) -> None:
    options = {"scopes": ["chat"], "allowed_models": ["support"], "origins": ["https://shop.example"]}
    key, _ = services.issue_key(as_alice, workspace_id=as_alice.workspace_id, name="shop", **options)
    page = at_alice.get(f"/keys/{key.id}/").content.decode()
    assert "https://shop.example</textarea>" in page and "Which models" not in page
    sites = {"name": "shop", "origins": "https://shop.example\nhttps://www.shop.example"}
    at_alice.post(f"/keys/{key.id}/", sites)
    key.refresh_from_db()
    assert key.origins == ["https://shop.example", "https://www.shop.example"] and key.allowed_models == ["support"]
    wrong = at_alice.post(f"/keys/{key.id}/", sites | {"origins": "shop"})
    assert wrong.status_code == 400 and "is no origin" in wrong.content.decode()
    assert "https://www.shop.example" in at_alice.get("/keys/").content.decode()


def test_an_oauth_client_is_registered_like_a_key_and_shows_id_and_secret_once(at_alice) -> None:
    page = at_alice.post("/keys/new", {**FORM, "way": "client"}).content.decode()
    key = ApiKey.objects.get()
    secret = re.search(r'<code id="secret">([^<]+)</code>', page)[1]
    assert f'<code id="client">{key.client_id}</code>' in page and "http://testserver/oauth/token" in page
    assert key.client.check_secret(secret) and key.client.get_scopes() == ["chat"]
    assert "OAuth client" in at_alice.get("/keys/").content.decode()
    one = at_alice.get(f"/keys/{key.id}/").content.decode()
    assert key.client_id in one and secret not in one
    rotated = at_alice.post(f"/keys/{key.id}/rotate", {"minutes": "0"}).content.decode()
    key.refresh_from_db()
    assert key.client.check_secret(re.search(r'<code id="secret">([^<]+)</code>', rotated)[1])
    at_alice.post(f"/keys/{key.id}/revoke")
    assert "revoked" in at_alice.get(f"/keys/{key.id}/").content.decode()
