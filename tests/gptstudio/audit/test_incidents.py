"""What went wrong or was stopped, in the console."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gptstudio.accounts import services as accounts
from gptstudio.accounts.policies import system
from gptstudio.accounts.selectors import person_of
from gptstudio.audit.models import AuditEvent
from gptstudio.audit.services import record
from gptstudio.review import services

pytestmark = pytest.mark.django_db
PAGE = "/admin/audit/auditevent/incidents/"


@pytest.fixture
def happened(as_alice, as_bob, workspace, bob):
    """One of each kind, by the real services where they are near."""

    def item(kind: str, subject: str, title: str):
        return services.open_item(
            as_bob, workspace_id=workspace.id, kind=kind, subject_id=subject, title=title, evidence={}, makers=[]
        )

    model = item("model", "model_1", "Release Tone")
    services.decide(as_alice, item=model, verdict="approved", reason="Fine.")
    services.decide(as_alice, item=model, verdict="rejected", reason="It tells secrets.")
    refused = item("model", "model_2", "Release Other")
    services.decide(as_alice, item=refused, verdict="rejected", reason="Never released.")
    flagged = item("guardrail", "req_1", "An answer was stopped")
    key, _secret = accounts.issue_key(as_alice, workspace_id=workspace.id, name="shop", scopes=["chat"])
    accounts.pause_key(as_alice, key=key, reason="It asks in a loop.")
    accounts.block_member(as_alice, membership=person_of(workspace.id, bob.id))
    for action, kind, subject, label, data in (
        ("deployment.stopped", "deployment", "dep_1", "support", {"reason": "It tells addresses."}),
        ("alert.began", "rule", "rule_1", "Requests fail", {"detail": "12 % failed"}),
        ("file.uploaded", "file", "file-1", "tickets.csv", {}),
    ):
        record(
            as_alice, workspace_id=workspace.id, action=action, subject_kind=kind, subject_id=subject,
            subject_label=label, data=data,
        )  # fmt: skip
    return flagged


def at(user) -> Client:
    found = Client()
    found.force_login(user)
    return found


def test_they_stand_on_one_page_with_who_and_why_and_a_way_there(happened, alice) -> None:
    page = at(alice).get(PAGE).content.decode()
    for said in (
        "6 things went wrong or were stopped", "Stopped a deployment", "It tells addresses.", 'href="/deployments/dep_1/"',
        "Withdrew the release of", "It tells secrets.", 'href="/models/model_1/"', "Paused a key", "It asks in a loop.",
        "Blocked", "Raised an alert:", "12 % failed", f'href="/admin/review/reviewitem/{happened.id}/change/"',
        "alice@care.example",
    ):  # fmt: skip
        assert said in page, said
    for absent in ("Never released.", "tickets.csv"):
        assert absent not in page


def test_they_are_narrowed_by_kind_and_time(happened, alice) -> None:
    client = at(alice)
    page = client.get(f"{PAGE}?kind=key&days=7").content.decode()
    assert "It asks in a loop." in page and "It tells addresses." not in page
    AuditEvent.objects.filter(action="key.paused").update(at=timezone.now() - timedelta(days=8))
    assert "Nothing went wrong" in client.get(f"{PAGE}?kind=key&days=7").content.decode()
    assert "It asks in a loop." in client.get(f"{PAGE}?kind=odd&days=odd").content.decode()


def test_they_are_searched_and_shown_from_the_oldest_on(happened, alice) -> None:
    client = at(alice)
    found = client.get(f"{PAGE}?q=support&days=30").content.decode()
    assert "It tells addresses." in found and "It asks in a loop." not in found
    assert "Nothing fits" in client.get(f"{PAGE}?q=zebra").content.decode()
    newest, oldest = (client.get(f"{PAGE}{sort}").content.decode() for sort in ("", "?sort=when"))
    assert newest.index("Requests fail") < newest.index("It tells secrets.") and 'aria-sort="descending"' in newest
    assert oldest.index("It tells secrets.") < oldest.index("Requests fail") and 'aria-sort="ascending"' in oldest


def test_reviewers_see_them_without_ways_that_are_closed_to_them_and_strangers_see_none(
    happened, workspace, charlie, bob
) -> None:
    dora = accounts.create_user(email="dora@care.example", password="correct horse battery")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=dora, role="reviewer")
    page = at(dora).get(PAGE).content.decode()
    assert "It asks in a loop." in page and 'href="/keys/' not in page and "/settings/members/" not in page
    assert "Nothing went wrong" in at(charlie).get(PAGE).content.decode()
    assert at(bob).get(PAGE).status_code == 302  # an editor's, and blocked
