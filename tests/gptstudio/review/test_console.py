"""The review queue in the console: what a person may decide is what is offered, and nothing else is registered there."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.test import Client

from gptstudio.accounts import services as accounts
from gptstudio.accounts.policies import system
from gptstudio.core.console import WorkspaceAdmin
from gptstudio.review import services
from gptstudio.review.models import ReviewItem

pytestmark = pytest.mark.django_db
BUTTON = 'name="verdict" value="{}"'


@pytest.fixture
def item(workspace, bob, as_bob) -> ReviewItem:
    return services.open_item(
        as_bob,
        workspace_id=workspace.id,
        kind="model",
        subject_id="model_1",
        title="Tone",
        evidence={},
        makers=[bob.id],
    )


def at(user) -> Client:
    found = Client()
    found.force_login(user)
    return found


def offered(client: Client, item: ReviewItem) -> list[str]:
    page = client.get(f"/admin/review/reviewitem/{item.id}/change/").content.decode()
    return [verdict for verdict in ("approved", "rejected", "pending") if BUTTON.format(verdict) in page]


def decide(client: Client, item: ReviewItem, verdict: str) -> int:
    answer = client.post(f"/admin/review/reviewitem/{item.id}/decide/", {"verdict": verdict, "reason": "Seen."})
    return answer.status_code


def test_only_what_the_state_allows_is_offered(item, alice) -> None:
    client = at(alice)
    for verdict, after in (
        ("approved", ["rejected"]),
        ("rejected", ["pending"]),
        ("pending", ["approved", "rejected"]),
    ):
        assert decide(client, item, verdict) == 302
        assert offered(client, item) == after
    assert decide(client, item, "pending") == 409


def test_the_list_leads_to_the_item(item, alice) -> None:
    client = at(alice)
    listed = client.get("/admin/review/reviewitem/").content.decode()
    (address,) = set(re.findall(r'href="(/admin/review/reviewitem/review[^"?]*/change/)', listed))
    assert "Reason, for the audit log" in client.get(address).content.decode()


def test_who_made_it_may_say_no_and_is_told_why_not_yes(item, workspace, bob) -> None:
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=bob, role="admin")
    client = at(bob)
    page = client.get(f"/admin/review/reviewitem/{item.id}/change/").content.decode()
    assert offered(client, item) == ["rejected"] and "wants a second person" in page
    assert decide(client, item, "approved") == 403 and decide(client, item, "rejected") == 302


def test_nothing_stands_in_the_console_that_is_not_bound_to_a_workspace() -> None:
    assert [each for each in admin.site._registry.values() if not isinstance(each, WorkspaceAdmin)] == []


@pytest.mark.parametrize("place", ["accounts/apikey", "accounts/membership"])
def test_keys_and_members_are_for_admins_alone(workspace, alice, bob, place) -> None:
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=bob, role="reviewer")
    assert at(alice).get(f"/admin/{place}/").status_code == 200
    assert at(bob).get(f"/admin/{place}/").status_code == 403
    assert at(bob).get("/admin/review/reviewitem/").status_code == 200
