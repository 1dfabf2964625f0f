"""Decisions under the three release policies, and the gate that the apps ask."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from gptstudio.accounts import selectors as people
from gptstudio.accounts import services as accounts
from gptstudio.accounts.models import Workspace
from gptstudio.accounts.policies import system
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound, StudioError
from gptstudio.notify.models import Delivery
from gptstudio.review import selectors, services
from gptstudio.review.models import ReviewDecision, ReviewItem


@pytest.fixture
def make_item(workspace, bob, as_bob):
    """Open an item that Bob made, in a workspace with the given policy."""

    def make(policy: str = "two_person", makers=None) -> ReviewItem:
        Workspace.objects.filter(id=workspace.id).update(release_policy=policy)
        return services.open_item(
            as_bob,
            workspace_id=workspace.id,
            kind="model",
            subject_id="model_1",
            title="Release Tone",
            evidence={"rows": 4},
            makers=makers or [bob.id],
        )

    return make


@pytest.fixture
def rita(workspace):
    """A reviewer in Care."""
    user = accounts.create_user(email="rita@care.example", name="Rita")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=user, role="reviewer")
    return people.actor_of_member(people.membership(user, workspace.id))


def promoted(user, workspace, role):
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=user, role=role)
    return people.actor_of_member(people.membership(user, workspace.id))


def test_asking_twice_while_one_waits_changes_nothing(make_item) -> None:
    first, again = make_item(), make_item()
    assert first.id == again.id
    assert AuditEvent.objects.filter(action="review.requested").count() == 1


def test_a_second_person_approves_and_the_gate_opens(make_item, rita) -> None:
    item = make_item()
    assert not selectors.is_cleared("model_1", kind="model")
    decision = services.decide(rita, item=item, verdict="approved", reason=" Better in every score. ")
    assert (decision.reason, decision.decided_by_id) == ("Better in every score.", rita.user_id)
    assert selectors.is_cleared("model_1", kind="model")
    assert not selectors.is_cleared("model_1", kind="version")
    assert AuditEvent.objects.get(action="review.approved").data == {
        "review": item.id,
        "reason": "Better in every score.",
    }


def test_under_two_person_the_maker_cannot_approve_even_as_admin(make_item, bob, workspace) -> None:
    item = make_item()
    with pytest.raises(NotAllowed, match="You made this yourself"):
        services.decide(promoted(bob, workspace, "admin"), item=item, verdict="approved", reason="Mine is best.")
    assert not ReviewDecision.objects.exists()


def test_under_two_person_a_key_of_the_maker_cannot_approve_either(make_item, bob, workspace) -> None:
    item = make_item()
    actor = promoted(bob, workspace, "admin")
    scopes = ["reviews:read", "reviews:write"]
    key, _secret = accounts.issue_key(actor, workspace_id=workspace.id, name="k", scopes=scopes)
    with pytest.raises(NotAllowed, match="You made this yourself"):
        services.decide(people.actor_of_key(key), item=item, verdict="approved", reason="By a program.")


def test_nobody_is_kept_from_stopping_their_own(make_item, rita, bob, workspace) -> None:
    item, trainer = make_item(), promoted(bob, workspace, "trainer")
    services.decide(rita, item=item, verdict="approved", reason="Fine.")
    services.decide(trainer, item=item, verdict="rejected", reason="I saw it swear.")
    assert not selectors.is_cleared("model_1", kind="model") and selectors.is_rejected("model_1", kind="model")


def test_a_no_of_others_is_a_reviewers_alone(make_item, bob, workspace) -> None:
    item = make_item(makers=["user_of_another"])
    with pytest.raises(NotAllowed):
        services.decide(promoted(bob, workspace, "trainer"), item=item, verdict="rejected", reason="Not mine.")


def test_what_was_rejected_by_a_slip_goes_back_in_the_queue_with_a_reason(make_item, rita, as_bob) -> None:
    item = make_item()
    with pytest.raises(Conflict, match="cannot become pending"):
        services.reopen(rita, item=item, reason="It waits already.")
    services.decide(rita, item=item, verdict="rejected", reason="Wrong button.")
    with pytest.raises(NotAllowed):
        services.reopen(as_bob, item=item, reason="Please.")
    with pytest.raises(Invalid):
        services.reopen(rita, item=item, reason=" ")
    services.reopen(rita, item=item, reason="It was the wrong button.")
    item.refresh_from_db()
    assert (item.state, item.decided_at) == ("pending", None)
    assert AuditEvent.objects.filter(action="review.reopened").count() == 1
    services.decide(rita, item=item, verdict="approved", reason="As meant.")


def test_under_self_the_maker_decides_with_a_reason(make_item, bob, workspace) -> None:
    item, trainer = make_item("self"), promoted(bob, workspace, "trainer")
    with pytest.raises(Invalid, match="has no reason"):
        services.decide(trainer, item=item, verdict="approved", reason="  ")
    services.decide(trainer, item=item, verdict="approved", reason="Tried it on ten questions.")
    assert selectors.is_cleared("model_1", kind="model")


def test_under_self_an_editor_who_made_it_still_may_not(make_item, as_bob) -> None:
    with pytest.raises(NotAllowed):
        services.decide(as_bob, item=make_item("self"), verdict="approved", reason="Looks fine.")


def test_under_self_a_maker_who_moved_to_another_workspace_decides_nothing(make_item, charlie, as_charlie) -> None:
    item = make_item("self", makers=[charlie.id])
    with pytest.raises(NotAllowed):
        services.decide(as_charlie, item=item, verdict="approved", reason="From afar.")


@pytest.mark.parametrize("policy", ["two_person", "self"])
def test_the_policy_itself_decides_only_where_it_is_automatic(make_item, workspace, policy) -> None:
    actor = system(workspace.id, kind="policy")
    with pytest.raises(NotAllowed, match="asks for a person's decision"):
        services.decide(actor, item=make_item(policy), verdict="approved", reason="Within limits.")


def test_under_automatic_the_policy_approves_and_is_audited_as_such(make_item, workspace) -> None:
    actor = system(workspace.id, kind="policy", label="Release policy")
    decision = services.decide(actor, item=make_item("automatic"), verdict="approved", reason="Within limits.")
    assert (decision.decided_by, decision.decided_by_label) == (None, "Release policy")
    assert AuditEvent.objects.get(action="review.approved").actor_kind == "policy"


def test_an_approval_can_be_taken_back_and_asked_for_again(make_item, rita) -> None:
    item = make_item()
    services.decide(rita, item=item, verdict="approved", reason="Fine.")
    services.decide(rita, item=item, verdict="rejected", reason="It swears.")
    assert not selectors.is_cleared("model_1", kind="model")
    assert [decision.verdict for decision in item.decisions.all()] == ["rejected", "approved"]
    again = make_item()
    assert (again.id, again.state, again.decided_at) == (item.id, "pending", None)
    assert AuditEvent.objects.filter(action="review.requested").count() == 2


def test_a_verdict_that_is_none_is_refused(make_item, rita) -> None:
    with pytest.raises(Invalid, match="'pending' is not a decision"):
        services.decide(rita, item=make_item(), verdict="pending", reason="Hm.")


def test_the_same_verdict_twice_is_a_conflict(make_item, rita, as_alice) -> None:
    item = make_item()
    services.decide(rita, item=item, verdict="rejected", reason="No.")
    with pytest.raises(Conflict, match="This was rejected already"):
        services.decide(as_alice, item=item, verdict="rejected", reason="No, too.")
    with pytest.raises(Conflict):
        services.decide(as_alice, item=item, verdict="approved", reason="Yes.")
    assert ReviewDecision.objects.count() == 1


def test_a_stranger_neither_sees_nor_decides(make_item, as_charlie) -> None:
    item = make_item()
    with pytest.raises(NotFound):
        selectors.item_of(as_charlie.workspace_id, item.id)
    with pytest.raises(NotAllowed):
        services.decide(as_charlie, item=item, verdict="approved", reason="Hello.")
    assert not selectors.pending_in(as_charlie.workspace_id).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_deciders_at_once_one_decides_and_one_is_told(make_item, rita, as_alice) -> None:
    item, gate, said = make_item(), threading.Barrier(2), []

    def decide(actor) -> None:
        gate.wait(timeout=120)
        try:
            services.decide(actor, item=item, verdict="approved", reason="Fine.")
            said.append("decided")
        except StudioError as error:
            said.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=(actor,)) for actor in (rita, as_alice)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert sorted(said) == ["conflict", "decided"]
    assert ReviewDecision.objects.count() == 1


def test_what_waits_and_what_was_decided_is_told(make_item, rita, as_alice, workspace) -> None:
    hook = {"kind": "webhook", "address": "https://hooks.invalid/in", "events": ["review.opened", "review.decided"]}
    accounts.add_destination(as_alice, workspace_id=workspace.id, **hook)
    item = make_item()
    make_item()
    services.decide(rita, item=item, verdict="rejected", reason="Not yet.")
    opened, decided = Delivery.objects.order_by("id")
    assert (opened.event, opened.title) == ("review.opened", "Waits for a reviewer: Release Tone")
    assert opened.body["data"]["subject"] == "model_1" and opened.body["data"]["requested_by"] == "bob@care.example"
    assert (decided.event, decided.title) == ("review.decided", "Rejected: Release Tone")
    assert (decided.body["data"]["verdict"], decided.body["data"]["reason"]) == ("rejected", "Not yet.")
