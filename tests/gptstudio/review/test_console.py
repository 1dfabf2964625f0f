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


def act(client: Client, item: ReviewItem, name: str, **given: str):
    return client.post(f"/admin/review/reviewitem/{item.id}/{name}/", given)


@pytest.fixture
def rita(workspace):
    user = accounts.create_user(email="rita@care.example", name="Rita")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=user, role="reviewer")
    return user


def test_what_another_holds_is_shown_and_not_decided_until_an_admin_takes_it_over(item, alice, rita) -> None:
    at_rita, at_alice = at(rita), at(alice)
    assert act(at_rita, item, "claim").status_code == 302
    assert "Yours" in at_rita.get("/admin/review/reviewitem/").content.decode()
    assert item.title in at_rita.get("/admin/review/reviewitem/?tab=mine").content.decode()
    listed = at_alice.get("/admin/review/reviewitem/").content.decode()
    assert "Taken by rita@care.example" in listed
    assert "You hold nothing" in at_alice.get("/admin/review/reviewitem/?tab=mine").content.decode()
    page = at_alice.get(f"/admin/review/reviewitem/{item.id}/change/").content.decode()
    assert "rita@care.example has taken this item" in page and "Take it over" in page
    assert offered(at_alice, item) == [] and decide(at_alice, item, "approved") == 409
    assert act(at_alice, item, "claim").status_code == 409
    assert act(at_alice, item, "claim", take_over="yes").status_code == 302
    refused = act(at_rita, item, "release")
    assert refused.status_code == 409 and "alice@care.example has taken this item" in refused.content.decode()
    assert act(at_alice, item, "release").status_code == 302
    assert decide(at_rita, item, "rejected") == 302


def test_what_is_handed_up_stands_first_for_admins_and_is_closed_to_reviewers(item, alice, rita) -> None:
    at_rita, at_alice = at(rita), at(alice)
    assert act(at_rita, item, "escalate", reason=" ").status_code == 400
    assert act(at_rita, item, "escalate", reason="It names a customer.").status_code == 302
    page = at_rita.get(f"/admin/review/reviewitem/{item.id}/change/").content.decode()
    assert "This was handed up to the admins." in page and offered(at_rita, item) == []
    assert decide(at_rita, item, "approved") == 403
    page = at_alice.get(f"/admin/review/reviewitem/{item.id}/change/").content.decode()
    assert "It names a customer." in page and "Hand back to the reviewers" in page
    assert act(at_rita, item, "hand-back", reason="Mine.").status_code == 403
    assert act(at_alice, item, "hand-back", reason="All right.").status_code == 302
    assert offered(at_rita, item) == ["approved", "rejected"]


def test_after_a_decision_the_next_of_the_same_list_is_shown(as_bob, workspace, alice) -> None:
    opened = [
        services.open_item(
            as_bob, workspace_id=workspace.id, kind="guardrail", subject_id=f"req_{number}", title=f"Stopped {number}",
            evidence={}, makers=[],
        )
        for number in range(3)
    ]  # fmt: skip
    client, query = at(alice), "?tab=pending&kind=guardrail"
    first = f"/admin/review/reviewitem/{opened[0].id}/decide/{query}"
    gone_on = client.post(first, {"verdict": "approved", "reason": ""})
    assert gone_on["Location"] == f"/admin/review/reviewitem/{opened[1].id}/change/{query}"
    for item in opened[1:]:
        last = client.post(f"/admin/review/reviewitem/{item.id}/decide/{query}", {"verdict": "approved"})
    assert last["Location"] == f"/admin/review/reviewitem/{query}"
    assert "Nothing fits" in client.get(last["Location"]).content.decode()


def test_many_are_decided_together_and_models_never_are(item, as_bob, workspace, alice, charlie) -> None:
    spam = [
        services.open_item(
            as_bob, workspace_id=workspace.id, kind="guardrail", subject_id=f"req_{number}", title="Stopped",
            evidence={}, makers=[],
        )
        for number in range(3)
    ]  # fmt: skip
    client, many = at(alice), "/admin/review/reviewitem/decide/"
    listed = client.get("/admin/review/reviewitem/").content.decode()
    assert f'value="{spam[0].id}"' in listed and f'value="{item.id}"' not in listed
    ids = [each.id for each in spam]
    for data, said in (
        ({"item": [item.id], "verdict": "approved", "reason": "x"}, "decided one by one"),
        ({"item": ids, "verdict": "rejected"}, "The decision has no reason"),
        ({"item": ids, "verdict": "odd"}, "Select a valid choice"),
        ({"item": [], "verdict": "approved"}, "Nothing was chosen"),
    ):
        refused = client.post(many, data)
        assert refused.status_code == 400 and said in refused.content.decode()
    assert at(charlie).post(many, {"item": ids, "verdict": "approved"}).status_code == 400
    assert client.post(many, {"item": ids, "verdict": "approved"}).status_code == 302
    assert ReviewItem.objects.filter(id__in=ids, state="approved").count() == 3
    assert client.get(many).status_code == 302


def test_the_queue_is_searched_by_words_and_kind_and_odd_tabs_are_the_first(item, alice) -> None:
    client, queue = at(alice), "/admin/review/reviewitem/"
    assert item.title in client.get(f"{queue}?q=ton&kind=model").content.decode()
    assert "Nothing fits" in client.get(f"{queue}?q=nobody").content.decode()
    assert item.title in client.get(f"{queue}?tab=odd&page=x").content.decode()
    decide(client, item, "approved")
    page = client.get(f"{queue}?tab=decided").content.decode()
    assert item.title in page and "The one decision of the last 30 days took" in page


def test_of_another_workspace_nothing_is_held_or_handed_up(item, charlie) -> None:
    client = at(charlie)
    assert item.title not in client.get("/admin/review/reviewitem/").content.decode()
    for name in ("claim", "release", "escalate", "hand-back", "decide"):
        gone = act(client, item, name, reason="x", verdict="approved")
        assert (gone.status_code, gone["Location"]) == (302, "/admin/")
    item.refresh_from_db()
    assert (item.state, item.claimed_by, item.escalated_at) == ("pending", "", None)
