"""/api/v1/studies: begun, read, listed, cancelled and gone on with by programs."""

from __future__ import annotations

import json

import pytest

from gptstudio.accounts.services import issue_key
from training_app import services
from training_app.models import Study
from training_app.selectors.studies import runs_of

ADDRESS = "/api/v1/studies"


@pytest.fixture
def call(client, as_alice, base, version):
    def send(method: str, where: str = "", *, scopes=("jobs:read", "jobs:write"), actor=as_alice, **body):
        _key, secret = issue_key(actor, workspace_id=actor.workspace_id, name="test", scopes=list(scopes))
        options = {"data": json.dumps(body), "content_type": "application/json"} if method == "post" else {}
        headers = {"Authorization": f"Bearer {secret}"}
        return getattr(client, method)(f"{ADDRESS}{where}", headers=headers, **options)

    return send


@pytest.fixture
def begun(call, base, version):
    answer = call("post", kind="learning_curve", version=version.id, base_model=base.id, name="More?", seed=3)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_learning_curve_is_begun_read_listed_and_cancelled(call, begun) -> None:
    assert (begun["name"], begun["state"], begun["length"], begun["result"]) == ("More?", "running", 3, {})
    (run,) = begun["runs"]
    assert (run["rows_share"], run["state"], run["validation_loss"]) == (0.25, "queued", None)
    where = f"/{begun['id']}"
    assert call("get", where).json() == begun
    (listed,) = call("get").json()["data"]
    assert listed["id"] == begun["id"] and "runs" not in listed
    cancelled = call("post", f"{where}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert cancelled.json()["runs"][0]["state"] == "cancelled"
    assert call("post", f"{where}/cancel").status_code == 409


def test_a_sweep_is_begun_with_ranges_and_tells_what_each_trial_was_given(call, base, version, make_job) -> None:
    asked = {"learning_rate": {"low": 0.001, "high": 0.01}, "scheduler": {}}
    what = {"kind": "sweep", "space": asked, "length": 4}
    body = call("post", version=version.id, base_model=base.id, hyperparameters={"learning_rate": 0.002}, **what).json()
    assert (body["kind"], body["length"], body["space"]["learning_rate"]["log"]) == ("sweep", 4, True)
    (run,) = body["runs"]
    assert (run["settings"], run["stopped_early"]) == ({"learning_rate": 0.002, "scheduler": "cosine"}, False)
    job = make_job(hyperparameters={"weight_decay": 0.04})
    of_job = call("post", job=job.id, **what).json()
    assert (of_job["job"], of_job["hyperparameters"]["weight_decay"]) == (job.id, 0.04)


def test_one_of_a_fine_tune_takes_its_settings(call, make_job) -> None:
    job = make_job(hyperparameters={"n_epochs": 2})
    body = call("post", kind="learning_curve", job=job.id).json()
    assert (body["name"], body["hyperparameters"]["n_epochs"]) == (job.name, 2)


def test_a_failed_one_is_gone_on_with(call, begun) -> None:
    study = Study.objects.get()
    services.fail_job(services.claim_job(runs_of(study)[0].id, holder="w"), code="x", message="The disk is full.")
    services.continue_study(study.id)
    body = call("get", f"/{study.id}").json()
    assert (body["state"], body["error"]["code"]) == ("failed", "run_failed")
    resumed = call("post", f"/{study.id}/resume").json()
    assert (resumed["state"], resumed["runs"][0]["state"]) == ("running", "queued")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"kind": "guess"}, 400),
        ({"kind": "learning_curve"}, 400),
        ({"kind": "learning_curve", "job": "ftjob-none"}, 404),
        ({"kind": "learning_curve", "version": "dsv_none", "base_model": "model_none"}, 404),
        ({"kind": "learning_curve", "hyperparameters": {"n_epochs": -1}}, 400),
        ({"kind": "sweep", "hyperparameters": {}}, 400),
        ({"kind": "sweep", "hyperparameters": {}, "space": {"max_length": {}}}, 400),
        ({"kind": "sweep", "hyperparameters": {}, "space": {"learning_rate": 3}}, 400),
        ({"kind": "sweep", "hyperparameters": {}, "space": {"learning_rate": {}}, "length": 1}, 400),
    ],
)
def test_what_cannot_be_is_refused(call, base, version, body, status) -> None:
    if "hyperparameters" in body:
        body = {**body, "version": version.id, "base_model": base.id}
    assert call("post", **body).status_code == status
    assert not Study.objects.exists()


def test_a_key_without_the_scope_and_a_stranger(call, begun, as_charlie) -> None:
    assert call("post", scopes=["jobs:read"], kind="learning_curve").status_code == 403
    assert call("post", f"/{begun['id']}/cancel", scopes=["jobs:read"]).status_code == 403
    assert call("get", scopes=["chat"]).status_code == 403
    assert call("get", f"/{begun['id']}", actor=as_charlie).status_code == 404
    assert call("post", f"/{begun['id']}/cancel", actor=as_charlie).status_code == 404
    assert call("get", actor=as_charlie).json()["data"] == []
