"""Whoever sends If-Match with a change changes only what they have seen."""

from __future__ import annotations

import pytest

from gptstudio.accounts import policies
from gptstudio.accounts.models import ApiKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(program):
    return program(*policies.SCOPES)


def editable(world, ask) -> dict[str, tuple[str, dict, dict]]:
    """By address: the method, and two changes that differ."""
    ids, body = world.ids, world.recipe.body
    target = {"targets": ask("get", f"/api/v1/deployments/{ids['deployment_id']}").json()["revisions"][0]["targets"]}
    return {
        f"/api/v1/datasets/{ids['dataset_id']}": (
            "patch",
            {"mapping": {"prompt": "question", "completion": "answer"}},
            {"mapping": None},
        ),
        f"/api/v1/recipes/{ids['recipe_id']}": ("put", {"name": "One", "body": body}, {"name": "Two", "body": body}),
        f"/api/v1/api-keys/{world.key.id}": ("patch", {"name": "one"}, {"name": "two"}),
        f"/api/v1/deployments/{ids['deployment_id']}": ("put", target | {"note": "one"}, target | {"note": "two"}),
        "/api/v1/guardrails": ("put", {"prompts": {"words": ["one"]}}, {"prompts": {"words": ["two"]}}),
        "/api/v1/safety-limits": ("put", {"limits": {"canaries": 1}}, {"limits": {"canaries": 2}}),
    }


def test_a_change_of_what_somebody_else_changed_is_refused(world, ask, subtests) -> None:
    for address, (method, one, two) in editable(world, ask).items():
        with subtests.test(address=address):
            seen = ask("get", address)
            before = {"If-Match": seen["ETag"]}
            first = ask(method, address, one, headers=before)
            assert first.status_code == 200, first.json()
            assert first["ETag"] != seen["ETag"] and first["ETag"] == ask("get", address)["ETag"]
            late = ask(method, address, two, headers=before)
            assert late.status_code == 412 and "problem+json" in late["Content-Type"]
            assert late.json()["code"] == "changed_meanwhile" and ask("get", address)["ETag"] == first["ETag"]
            known = {"If-Match": f"W/{seen['ETag']}, W/{first['ETag']}"}
            assert ask(method, address, two, headers=known).status_code == 200
            assert ask(method, address, one, headers={"If-Match": "*"}).status_code == 200
            assert ask(method, address, two).status_code == 200


def test_what_somebody_changed_is_not_removed_unseen(world, ask) -> None:
    address = f"/api/v1/recipes/{world.ids['recipe_id']}"
    seen = ask("get", address)["ETag"]
    newer = ask("put", address, {"name": "Changed", "body": world.recipe.body})["ETag"]
    assert ask("delete", address, headers={"If-Match": seen}).status_code == 412
    assert ask("delete", address, headers={"If-Match": newer}).status_code == 204


def test_use_does_not_change_the_tag_of_a_key(world, ask) -> None:
    address = f"/api/v1/api-keys/{world.key.id}"
    before = ask("get", address)["ETag"]
    ApiKey.objects.filter(id=world.key.id).update(previous_prefix="sk-old")
    assert ask("get", address)["ETag"] == before


def test_members_and_webhooks_have_tags_too(program, ask, bob, workspace) -> None:
    seen = ask("get", f"/api/v1/members/{bob.id}")["ETag"]
    assert ask("patch", f"/api/v1/members/{bob.id}", {"role": "trainer"}, headers={"If-Match": seen}).status_code == 200
    assert ask("delete", f"/api/v1/members/{bob.id}", headers={"If-Match": seen}).status_code == 412
    hook = {"url": "http://127.0.0.1:1/in", "events": ["job.failed"]}
    one = f"/api/v1/webhooks/{ask('post', '/api/v1/webhooks', hook).json()['id']}"
    seen = ask("get", one)["ETag"]
    assert ask("patch", one, {"events": ["review.opened"]}, headers={"If-Match": seen}).status_code == 200
    assert ask("patch", one, {"events": ["job.failed"]}, headers={"If-Match": seen}).status_code == 412
