"""The kill switch of a deployment: who may throw it, what callers are told, and the way back."""

from __future__ import annotations

import threading

import openai
import pytest
from django.db import connection
from django.test import Client

from gptstudio.accounts import services as accounts
from gptstudio.accounts.policies import system
from gptstudio.accounts.selectors import actor_of_member, membership
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, StudioError
from gptstudio.review.models import ReviewItem
from serving_app import selectors
from serving_app.models import Completion, DeploymentStop
from serving_app.services import create_deployment, lift_stop, retire_deployment, stop_deployment

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def acting(workspace):
    """A new member of Care with a role."""

    def make(role: str):
        user = accounts.create_user(email=f"{role}@care.example", name=role)
        accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=user, role=role)
        return actor_of_member(membership(user, workspace.id))

    return make


@pytest.fixture
def deployment(as_alice, starter):
    targets = [{"model": starter.id, "weight": 1}]
    return create_deployment(as_alice, workspace_id=as_alice.workspace_id, name="support", targets=targets)


def test_callers_are_refused_from_the_next_request_on_until_it_is_lifted(client, as_alice, base_model) -> None:
    found = create_deployment(
        as_alice, workspace_id=as_alice.workspace_id, name="support", targets=[{"model": base_model.id, "weight": 1}]
    )

    def ask(name: str = "support"):
        return client.chat.completions.create(model=name, messages=HELLO, max_tokens=4)

    assert ask().choices
    running = client.chat.completions.create(model="support", messages=HELLO, max_tokens=60, stream=True)
    next(iter(running))
    stop_deployment(as_alice, deployment=found, reason="It tells addresses.")
    with pytest.raises(openai.PermissionDeniedError) as refused:
        ask()
    assert refused.value.code == "deployment_stopped" and "addresses" not in str(refused.value)
    assert [chunk.choices[0].finish_reason for chunk in running if chunk.choices][-1] in ("length", "stop")
    assert Completion.objects.filter(deployment=found, state="completed").count() == 2
    assert ask(base_model.name).choices  # the model's own name is another matter
    lift_stop(as_alice, deployment=found, reason="Retrained.")
    assert ask().choices


def test_who_reviews_stops_it_with_a_reason_and_reviewers_are_asked_to_look(deployment, acting) -> None:
    reviewer = acting("reviewer")
    with pytest.raises(Invalid, match="no reason"):
        stop_deployment(reviewer, deployment=deployment, reason="  ")
    stop = stop_deployment(reviewer, deployment=deployment, reason="It tells addresses.")
    deployment.refresh_from_db()
    assert selectors.current_stop(deployment) == stop
    item = ReviewItem.objects.get(kind="stop")
    assert (item.title, item.state, item.subject_id) == ("The deployment support was stopped", "pending", stop.id)
    with pytest.raises(Conflict, match="stopped already"):
        stop_deployment(reviewer, deployment=deployment, reason="Again.")
    lift_stop(reviewer, deployment=deployment, reason="Mended.")
    with pytest.raises(Conflict, match="is not stopped"):
        lift_stop(reviewer, deployment=deployment, reason="Mended.")
    deployment.refresh_from_db()
    assert selectors.current_stop(deployment) is None
    lines = AuditEvent.objects.filter(action__in=("deployment.stopped", "deployment.lifted")).order_by("id")
    assert [(each.action, each.data["reason"]) for each in lines] == [
        ("deployment.stopped", "It tells addresses."),
        ("deployment.lifted", "Mended."),
    ]
    stop_deployment(reviewer, deployment=deployment, reason="It does so again.")
    assert ReviewItem.objects.filter(kind="stop").count() == 2


@pytest.mark.parametrize("role", ["viewer", "editor", "trainer"])
def test_other_roles_and_strangers_stop_nothing(deployment, acting, as_charlie, role) -> None:
    for actor in (acting(role), as_charlie):
        with pytest.raises(NotAllowed):
            stop_deployment(actor, deployment=deployment, reason="Hello.")
        with pytest.raises(NotAllowed):
            lift_stop(actor, deployment=deployment, reason="Hello.")


def test_what_is_retired_cannot_be_stopped(deployment, as_alice) -> None:
    retire_deployment(as_alice, deployment=deployment)
    with pytest.raises(Conflict, match="is retired"):
        stop_deployment(as_alice, deployment=deployment, reason="Hello.")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_stop_it_at_once_one_does_and_one_is_told(deployment, as_alice, acting) -> None:
    gate, said = threading.Barrier(2), []

    def stop(actor) -> None:
        gate.wait(timeout=20)
        try:
            stop_deployment(actor, deployment=deployment, reason="It tells addresses.")
            said.append("stopped")
        except StudioError as error:
            said.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=stop, args=(actor,)) for actor in (as_alice, acting("reviewer"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(said) == ["conflict", "stopped"] and DeploymentStop.objects.count() == 1


def test_its_page_stops_it_and_says_who_did(deployment, alice, bob) -> None:
    at_alice, at_bob, page = Client(), Client(), f"/deployments/{deployment.id}/"
    at_alice.force_login(alice)
    at_bob.force_login(bob)
    assert "Stop it at once" not in at_bob.get(page).content.decode()
    assert at_bob.post(f"{page}stop", {"reason": "x"}).status_code == 403
    assert at_alice.post(f"{page}stop", {"reason": ""}).status_code == 400
    assert at_alice.post(f"{page}stop", {"reason": "It tells addresses."}).status_code == 302
    shown = at_bob.get(page).content.decode()
    assert "It is stopped and answers nobody." in shown and "It tells addresses." in shown
    assert "stopped" in at_bob.get("/deployments/").content.decode()
    item = ReviewItem.objects.get(kind="stop")
    shown = at_alice.get(f"/admin/review/reviewitem/{item.id}/change/").content.decode()
    assert "Rightly stopped" in shown and "Open the deployment" in shown and "It tells addresses." in shown
    assert at_alice.post(f"{page}lift", {"reason": "Mended."}).status_code == 302
    assert "It is stopped" not in at_bob.get(page).content.decode()
