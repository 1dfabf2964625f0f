"""Taking items, so that two reviewers do not look at the same; handing them up; deciding many; how long it takes."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from gptstudio.accounts import selectors as people
from gptstudio.accounts import services as accounts
from gptstudio.accounts.models import Workspace
from gptstudio.accounts.policies import Actor, system
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, StudioError
from gptstudio.notify.models import Delivery
from gptstudio.review import selectors, services
from gptstudio.review.models import ReviewDecision, ReviewItem

pytestmark = pytest.mark.django_db


def member(workspace, name: str, role: str) -> Actor:
    user = accounts.create_user(email=f"{name}@care.example", name=name.capitalize())
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=user, role=role)
    return people.actor_of_member(people.membership(user, workspace.id))


@pytest.fixture
def rita(workspace) -> Actor:
    return member(workspace, "rita", "reviewer")


@pytest.fixture
def rob(workspace) -> Actor:
    return member(workspace, "rob", "reviewer")


@pytest.fixture
def make_item(workspace, bob, as_bob):
    """Open an item that Bob made."""

    def make(subject: str = "model_1", kind: str = "model") -> ReviewItem:
        return services.open_item(
            as_bob, workspace_id=workspace.id, kind=kind, subject_id=subject, title=f"About {subject}", evidence={},
            makers=[bob.id],
        )  # fmt: skip

    return make


@pytest.fixture
def item(make_item) -> ReviewItem:
    return make_item()


def acts() -> list[str]:
    found = AuditEvent.objects.filter(action__startswith="review.").order_by("id")
    return [each.action.removeprefix("review.") for each in found]


def expire(item: ReviewItem) -> None:
    ReviewItem.objects.filter(id=item.id).update(claimed_until=timezone.now() - timedelta(seconds=1))


def test_what_one_reviewer_took_another_can_neither_take_nor_decide_nor_hand_up(item, rita, rob) -> None:
    taken = services.claim_item(rita, item=item)
    assert (taken.claimed_by_label, taken.is_claimed) == ("rita@care.example", True)
    for act in (
        lambda: services.claim_item(rob, item=item),
        lambda: services.decide(rob, item=item, verdict="approved", reason="Fine."),
        lambda: services.escalate_item(rob, item=item, reason="Odd."),
        lambda: services.release_item(rob, item=item),
    ):
        with pytest.raises(Conflict, match="rita@care.example has taken this item") as refused:
            act()
        assert refused.value.code == "claimed"
    services.decide(rita, item=item, verdict="approved", reason="Fine.")
    item.refresh_from_db()
    assert (item.claimed_by, item.is_claimed) == ("", False)
    assert acts() == ["requested", "claimed", "approved"]


def test_a_claim_ends_by_itself_and_by_hand(item, rita, rob) -> None:
    services.claim_item(rita, item=item)
    expire(item)
    item.refresh_from_db()
    assert not item.is_claimed
    services.claim_item(rob, item=item)
    services.release_item(rob, item=item)
    services.release_item(rob, item=item)
    services.decide(rita, item=item, verdict="rejected", reason="No.")
    assert acts() == ["requested", "claimed", "claimed", "released", "rejected"]


def test_taken_again_by_who_holds_it_the_time_begins_anew(item, rita) -> None:
    first = services.claim_item(rita, item=item).claimed_until
    assert services.claim_item(rita, item=item).claimed_until > first
    assert acts() == ["requested", "claimed"]


def test_an_admin_takes_over_and_a_reviewer_does_not(item, rita, rob, as_alice) -> None:
    services.claim_item(rita, item=item)
    with pytest.raises(NotAllowed):
        services.claim_item(rob, item=item, take_over=True)
    with pytest.raises(Conflict):
        services.claim_item(as_alice, item=item)
    services.claim_item(as_alice, item=item, take_over=True)
    with pytest.raises(Conflict, match="alice@care.example has taken"):
        services.decide(rita, item=item, verdict="approved", reason="Fine.")
    line = AuditEvent.objects.get(action="review.taken_over")
    assert line.data == {"review": item.id, "before": "rita@care.example"}


def test_an_admin_lets_go_of_what_another_holds(item, rita, as_alice) -> None:
    services.claim_item(rita, item=item)
    assert not services.release_item(as_alice, item=item).is_claimed


def test_who_may_not_decide_holds_nothing(item, as_bob, as_charlie) -> None:
    for actor in (as_bob, as_charlie):
        with pytest.raises(NotAllowed):
            services.claim_item(actor, item=item)
        with pytest.raises(NotAllowed):
            services.escalate_item(actor, item=item, reason="Odd.")


def test_what_was_decided_is_not_taken(item, rita) -> None:
    services.decide(rita, item=item, verdict="approved", reason="Fine.")
    with pytest.raises(Conflict, match="approved already"):
        services.claim_item(rita, item=item)


def test_the_release_policy_decides_also_what_somebody_holds(item, rita, workspace) -> None:
    Workspace.objects.filter(id=workspace.id).update(release_policy="automatic")
    services.claim_item(rita, item=item)
    policy = system(workspace.id, kind="policy", label="Release policy")
    services.decide(policy, item=item, verdict="approved", reason="Within the limits.")
    assert selectors.is_cleared(item.subject_id, kind="model")
    assert ReviewDecision.objects.get().waited_seconds is None


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_it_at_once_one_gets_it(item, rita, rob) -> None:
    gate, said = threading.Barrier(2), []

    def take(actor: Actor) -> None:
        gate.wait(timeout=20)
        try:
            said.append(services.claim_item(actor, item=item).claimed_by_label)
        except StudioError as error:
            said.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(actor,)) for actor in (rita, rob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    item.refresh_from_db()
    assert sorted(said) == sorted(["claimed", item.claimed_by_label])
    assert acts() == ["requested", "claimed"]


@pytest.mark.django_db(transaction=True)
def test_of_one_who_takes_and_one_who_decides_at_once_nobody_is_overrun(item, rita, rob) -> None:
    gate, said = threading.Barrier(2), []

    def act(name: str, service, actor: Actor, **more: str) -> None:
        gate.wait(timeout=20)
        try:
            service(actor, item=item, **more)
            said.append(name)
        except StudioError as error:
            said.append(error.code)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=act, args=("took", services.claim_item, rita)),
        threading.Thread(
            target=act, args=("decided", services.decide, rob), kwargs={"verdict": "approved", "reason": "Fine."}
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(said) in (["claimed", "took"], ["conflict", "decided"])


def test_what_is_handed_up_is_for_admins_and_they_see_it_first(make_item, rita, rob, as_alice, workspace) -> None:
    hook = {"kind": "webhook", "address": "https://hooks.invalid/in", "events": ["review.escalated"]}
    accounts.add_destination(as_alice, workspace_id=workspace.id, **hook)
    first, second = make_item("model_1"), make_item("model_2")
    services.claim_item(rita, item=second)
    services.escalate_item(rita, item=second, reason="It names a customer.")
    second.refresh_from_db()
    assert (second.state, second.is_claimed, second.escalation_reason) == ("pending", False, "It names a customer.")
    for act in (
        lambda: services.decide(rob, item=second, verdict="rejected", reason="No."),
        lambda: services.claim_item(rob, item=second),
        lambda: services.hand_back_item(rob, item=second, reason="Yours."),
    ):
        with pytest.raises(NotAllowed):
            act()
    with pytest.raises(Conflict, match="already"):
        services.escalate_item(rob, item=second, reason="Again.")
    seen = {}
    for name, admin_in in (("alice", [workspace.id]), ("rob", [])):
        rows = selectors.queue(selectors.Desk("x", [workspace.id], admin_in), "pending")
        seen[name] = [item.id for item in rows]
    assert seen == {"alice": [second.id, first.id], "rob": [first.id, second.id]}
    services.decide(as_alice, item=second, verdict="approved", reason="They agreed.")
    second.refresh_from_db()
    assert second.escalated_at is None
    told = Delivery.objects.get()
    assert (told.event, told.body["data"]["reason"]) == ("review.escalated", "It names a customer.")
    assert acts()[2:] == ["claimed", "escalated", "approved"]


def test_an_admin_hands_it_back_and_reviewers_decide_again(item, rita, rob, as_alice) -> None:
    with pytest.raises(Conflict, match="was not handed up"):
        services.hand_back_item(as_alice, item=item, reason="Yours.")
    services.escalate_item(rita, item=item, reason="Odd.")
    services.hand_back_item(as_alice, item=item, reason="It is all right to decide.")
    services.decide(rob, item=item, verdict="approved", reason="Fine.")
    assert acts() == ["requested", "escalated", "handed_back", "approved"]


@pytest.mark.parametrize("act", [services.escalate_item, services.hand_back_item])
def test_handing_up_and_back_need_a_reason(item, as_alice, act) -> None:
    with pytest.raises(Invalid, match="no reason"):
        act(as_alice, item=item, reason=" ")


def test_who_made_it_may_say_no_to_what_was_handed_up(item, rita, workspace, bob) -> None:
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=bob, role="trainer")
    as_bob = people.actor_of_member(people.membership(bob, workspace.id))
    services.escalate_item(rita, item=item, reason="Odd.")
    services.decide(as_bob, item=item, verdict="rejected", reason="I take it back.")


def test_what_was_handed_up_stays_with_the_admins_when_its_maker_takes_it_back_and_asks_again(
    make_item, rita, rob, as_alice, workspace, bob
) -> None:
    item = make_item()
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=bob, role="trainer")
    as_bob = people.actor_of_member(people.membership(bob, workspace.id))
    services.escalate_item(rita, item=item, reason="Odd.")
    services.decide(as_bob, item=item, verdict="rejected", reason="I take it back.")
    again = make_item()
    assert again.state == "pending" and again.escalated_at is not None
    with pytest.raises(NotAllowed, match="handed up to the admins"):
        services.decide(rob, item=again, verdict="approved", reason="Fine.")
    services.decide(as_alice, item=again, verdict="approved", reason="I looked.")
    again.refresh_from_db()
    assert again.escalated_at is None


def test_many_of_a_kind_are_decided_each_for_itself(make_item, rita, rob, as_charlie) -> None:
    free, held, done = (make_item(f"req_{number}", "guardrail") for number in range(3))
    services.claim_item(rob, item=held)
    services.decide(rob, item=done, verdict="approved", reason="")
    ids = [free.id, held.id, done.id, "review_x", free.id]
    outcomes = services.decide_many(
        rita, workspace_id=rita.workspace_id, item_ids=ids, verdict="approved", reason="All spam."
    )
    refused = {each.id: each.refused for each in outcomes}
    assert list(refused) == [free.id, held.id, done.id, "review_x"] and refused[free.id] == ""
    assert "rob@care.example has taken" in refused[held.id] and "approved already" in refused[done.id]
    assert "There is no review item review_x" in refused["review_x"]
    assert ReviewDecision.objects.filter(item=free).get().reason == "All spam."
    (elsewhere,) = services.decide_many(
        as_charlie, workspace_id=as_charlie.workspace_id, item_ids=[held.id], verdict="approved", reason="x"
    )
    assert "There is no review item" in elsewhere.refused


def test_in_bulk_the_policy_holds_for_each(make_item, workspace, bob) -> None:
    mine = make_item("dsv_1", "version")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=bob, role="admin")
    as_bob = people.actor_of_member(people.membership(bob, workspace.id))
    (outcome,) = services.decide_many(
        as_bob, workspace_id=workspace.id, item_ids=[mine.id], verdict="approved", reason="Mine."
    )
    assert "wants a second person" in outcome.refused
    mine.refresh_from_db()
    assert mine.state == "pending"


def test_models_mixed_kinds_and_no_reason_are_refused_as_a_whole(make_item, rita) -> None:
    model, spam, bad = make_item(), make_item("req_1", "guardrail"), make_item("fb_1", "feedback")
    for ids, verdict, said in (
        ([model.id], "approved", "one by one"),
        ([spam.id, bad.id], "approved", "several kinds"),
        ([spam.id], "rejected", "no reason"),
        ([spam.id], "maybe", "not a decision"),
        ([], "approved", "at once"),
    ):
        with pytest.raises(Invalid, match=said):
            services.decide_many(rita, workspace_id=rita.workspace_id, item_ids=ids, verdict=verdict, reason="")
    assert not ReviewDecision.objects.exists()


def test_approving_feedback_needs_no_reason_and_rejecting_does(make_item, rita) -> None:
    item = make_item("fb_1", "feedback")
    with pytest.raises(Invalid, match="no reason"):
        services.decide(rita, item=item, verdict="rejected", reason="")
    assert services.decide(rita, item=item, verdict="approved", reason="").reason == ""


def test_the_time_to_a_decision_is_the_median_of_what_people_decided_lately(make_item, rita, workspace) -> None:
    assert selectors.median_wait([workspace.id]) == (None, 0)
    for number, minutes in enumerate((1, 5, 60, 90)):
        item = make_item(f"model_{number}")
        ReviewItem.objects.filter(id=item.id).update(waiting_since=timezone.now() - timedelta(minutes=minutes))
        services.decide(rita, item=item, verdict="rejected", reason="No.")
    old = ReviewDecision.objects.get(item__subject_id="model_3")
    ReviewDecision.objects.filter(id=old.id).update(at=timezone.now() - timedelta(days=31))
    wait, decisions = selectors.median_wait([workspace.id])
    assert decisions == 3 and timedelta(minutes=5) <= wait < timedelta(minutes=6)


def test_what_is_put_back_waits_anew(item, rita) -> None:
    ReviewItem.objects.filter(id=item.id).update(waiting_since=timezone.now() - timedelta(days=3))
    services.decide(rita, item=item, verdict="rejected", reason="No.")
    services.reopen(rita, item=item, reason="A slip.")
    item.refresh_from_db()
    assert timezone.now() - item.waiting_since < timedelta(days=1)


def test_a_place_in_the_queue_knows_its_neighbours(make_item, rita) -> None:
    items = [make_item(f"model_{number}") for number in range(3)]
    desk = selectors.Desk(services.holder_of(rita), [rita.workspace_id])
    rows = selectors.queue(desk, "pending")
    assert selectors.place_of(items[1], rows) == selectors.Place(2, 3, items[0].id, items[2].id)
    services.claim_item(rita, item=items[2])
    assert selectors.place_of(items[0], selectors.queue(desk, "mine")) == selectors.Place(0, 1, "", items[2].id)
    assert selectors.counts(desk) == {"pending": 3, "mine": 1, "decided": 0}
