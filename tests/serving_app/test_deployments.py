"""Deployments: names that programs call, over released models."""

from __future__ import annotations

import math
from collections import Counter

import httpx
import openai
import pytest

from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound
from gptstudio.review.models import ReviewItem
from serving_app import selectors
from serving_app.models import Completion, UsageEvent
from serving_app.services import create_deployment, retire_deployment, roll_back, update_deployment
from serving_app.services.admission import _target_of

HELLO = [{"role": "user", "content": "Hello"}]


def deploy(actor, *targets, name: str = "support"):
    return create_deployment(actor, workspace_id=actor.workspace_id, name=name, targets=list(targets))


def test_traffic_is_shared_by_weight_and_the_served_model_is_named(
    client, as_alice, base_model, make_tuned, reconciler
):
    tuned = make_tuned()
    reconciler.run_pass()
    deployment = deploy(as_alice, {"model": tuned.name, "weight": 3}, {"model": base_model.id, "weight": 1})
    served = Counter()
    for _ in range(40):
        answer = client.chat.completions.with_raw_response.create(model="support", messages=HELLO, max_tokens=1)
        served[answer.headers["x-studio-model"]] += 1
        assert answer.parse().model == "support"
    assert set(served) == {tuned.name, base_model.name} and served[tuned.name] > served[base_model.name]
    assert Completion.objects.filter(deployment=deployment).count() == 40
    rows = selectors.by_key_model_and_day(as_alice.workspace_id)
    assert {row["model_name"] for row in rows} == {tuned.name, base_model.name}


def test_the_model_that_answered_is_the_same_in_the_answer_the_log_and_the_ledger(
    client, as_alice, base_model, make_tuned, reconciler
):
    tuned = make_tuned()
    reconciler.run_pass()
    deploy(as_alice, {"model": tuned.name, "weight": 1}, {"model": base_model.id, "weight": 1})
    named = {}
    for _ in range(16):
        answer = client.chat.completions.with_raw_response.create(model="support", messages=HELLO, max_tokens=1)
        named[answer.headers["x-request-id"]] = answer.headers["x-studio-model"]
    assert set(named.values()) == {tuned.name, base_model.name}
    assert {row.id: row.model.name for row in Completion.objects.select_related("model")} == named
    for kind in ("reserve", "settle"):
        assert {row.attempt_id: row.model_name for row in UsageEvent.objects.filter(kind=kind)} == named


def test_a_share_comes_out_as_it_was_set(as_alice, base_model, make_tuned, reconciler):
    """800 draws at 10 %: within five standard deviations, which chance leaves once in 1.7 million runs."""
    tuned = make_tuned()
    reconciler.run_pass()
    deployment = deploy(as_alice, {"model": base_model.id, "weight": 9}, {"model": tuned.id, "weight": 1})
    draws, share = 800, 0.1
    canary = sum(_target_of(deployment) == tuned for _ in range(draws))
    assert abs(canary - draws * share) < 5 * math.sqrt(draws * share * (1 - share))


def test_one_request_takes_a_canary_back_and_the_next_question_knows(
    client, studio, make_key, as_alice, base_model, make_tuned, reconciler
):
    tuned = make_tuned()
    reconciler.run_pass()
    api = httpx.Client(base_url=f"{studio}/api/v1", headers={"Authorization": f"Bearer {make_key()}"}, timeout=60)
    stable = {"name": "support", "targets": [{"model": base_model.name}]}
    made = api.post("/deployments", json=stable).json()
    one = f"/deployments/{made['id']}"
    canary = {"targets": [{"model": base_model.name, "weight": 1}, {"model": tuned.name, "weight": 999}], "note": "Try"}
    assert api.put(one, json=canary).json()["revisions"][0]["targets"][1] == {"model": tuned.id, "weight": 999}

    def served() -> str:
        answer = client.chat.completions.with_raw_response.create(model="support", messages=HELLO, max_tokens=1)
        return answer.headers["x-studio-model"]

    assert tuned.name in {served() for _ in range(5)}
    back = api.post(f"{one}/rollback", json={}).json()["revisions"]
    assert [each["number"] for each in back] == [3, 2, 1] and back[0]["note"] == "Back to revision 1"
    assert {served() for _ in range(20)} == {base_model.name}
    assert api.post(f"{one}/rollback", json={"number": 2}).json()["revisions"][0]["targets"] == back[1]["targets"]
    assert api.get("/deployments").json()["data"] == [api.get(one).json()]
    assert api.delete(one).status_code == 204 and api.get(one).status_code == 404
    api.close()


def test_models_are_listed_starter_first_then_fine_tunes_then_deployments(
    client, stranger, as_alice, base_model, make_tuned
):
    tuned, hidden = make_tuned(), make_tuned("ft:hidden", released=False)
    deploy(as_alice, {"model": tuned.id, "weight": 1})
    assert [model.id for model in client.models.list()] == [base_model.name, tuned.name, "support"]
    assert client.models.retrieve(tuned.name).object == "model"
    assert client.models.retrieve("support").owned_by == as_alice.workspace_id
    assert [model.id for model in stranger.models.list()] == [base_model.name]
    for asking, name in ((client, hidden.name), (stranger, tuned.name), (stranger, "support"), (client, "a/b:c")):
        with pytest.raises(openai.NotFoundError):
            asking.models.retrieve(name)


def test_a_program_deletes_a_model_that_is_not_released_and_no_other(
    client, client_for, make_key, stranger, base_model, make_tuned
):
    kept, gone = make_tuned(), make_tuned("ft:gone", released=False)
    deleting = client_for(make_key("models:write"))
    for asking, name, refused in (
        (deleting, kept.name, openai.BadRequestError),
        (deleting, base_model.name, openai.PermissionDeniedError),
        (deleting, "ft:none", openai.NotFoundError),
        (stranger, gone.name, openai.NotFoundError),
        (client_for(make_key("models:read")), gone.name, openai.PermissionDeniedError),
    ):
        with pytest.raises(refused):
            asking.models.delete(name)
    deleted = deleting.models.delete(gone.name)
    assert (deleted.id, deleted.deleted, deleted.object) == (gone.name, True, "model")
    with pytest.raises(openai.NotFoundError):
        deleting.models.delete(gone.name)


def test_a_withdrawn_model_gets_no_more_traffic(client, as_alice, base_model, make_tuned, reconciler):
    tuned = make_tuned()
    reconciler.run_pass()
    deploy(as_alice, {"model": tuned.id, "weight": 1})
    ReviewItem.objects.update(state="rejected")
    with pytest.raises(openai.PermissionDeniedError) as refused:
        client.chat.completions.create(model="support", messages=HELLO)
    assert refused.value.code == "model_not_released"
    reconciler.run_pass()
    assert not selectors.answers(tuned) and selectors.answers(base_model)


def test_only_released_models_can_be_deployed(as_alice, make_tuned):
    with pytest.raises(Conflict, match="not released"):
        deploy(as_alice, {"model": make_tuned(released=False).id, "weight": 1})


def test_a_deployment_is_changed_and_rolled_back_by_new_revisions(as_alice, base_model, make_tuned):
    tuned = make_tuned()
    deployment = deploy(as_alice, {"model": base_model.id})
    update_deployment(as_alice, deployment=deployment, targets=[{"model": tuned.id, "weight": 2}], note="Better")
    assert selectors.current_revision(deployment).targets == [{"model": tuned.id, "weight": 2}]
    assert roll_back(as_alice, deployment=deployment).targets == [{"model": base_model.id, "weight": 1}]
    assert roll_back(as_alice, deployment=deployment, number=2).number == 4
    actions = AuditEvent.objects.filter(subject_id=deployment.id).values_list("action", flat=True)
    assert list(actions).count("deployment.rolled_back") == 2


def test_there_is_nothing_to_roll_back_to_at_first(as_alice, base_model):
    with pytest.raises(Conflict):
        roll_back(as_alice, deployment=deploy(as_alice, {"model": base_model.id}))


def test_a_retired_deployment_answers_no_more_and_keeps_its_name(client, as_alice, base_model):
    deployment = deploy(as_alice, {"model": base_model.id})
    retire_deployment(as_alice, deployment=deployment)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="support", messages=HELLO)
    with pytest.raises(Conflict):
        deploy(as_alice, {"model": base_model.id})
    with pytest.raises(Conflict):
        update_deployment(as_alice, deployment=deployment, targets=[{"model": base_model.id}])


@pytest.mark.parametrize(
    ("name", "targets", "error"),
    [
        ("Not a slug", [{"model": "studio-starter-1"}], Invalid),
        ("studio-starter-1", [{"model": "studio-starter-1"}], Conflict),
        ("a", [], Invalid),
        ("a", [{"model": "nothing"}], NotFound),
        ("a", [{"model": "studio-starter-1", "weight": 0}], Invalid),
        ("a", [{"model": "studio-starter-1"}, {"model": "studio-starter-1"}], Invalid),
    ],
)
def test_what_cannot_be_deployed_is_refused(as_alice, base_model, name, targets, error):
    with pytest.raises(error):
        deploy(as_alice, *targets, name=name)


def test_an_editor_and_a_stranger_may_not_deploy(as_alice, as_bob, as_charlie, base_model):
    with pytest.raises(NotAllowed):
        deploy(as_bob, {"model": base_model.id})
    deployment = deploy(as_alice, {"model": base_model.id})
    with pytest.raises(NotAllowed):
        retire_deployment(as_charlie, deployment=deployment)
    with pytest.raises(NotFound):
        selectors.deployment_of(as_charlie.workspace_id, deployment.id)
