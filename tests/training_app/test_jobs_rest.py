"""/api/v1/fine-tuning-jobs: a run looked over and tried out before anybody starts it."""

from __future__ import annotations

import json

import pytest

from gptstudio.accounts.services import issue_key
from training_app.models import Measurement

ADDRESS = "/api/v1/fine-tuning-jobs"
TRIED = {
    "start_seconds": 5.0, "step_seconds": 1.0, "evaluation_seconds": 1.0, "sample_seconds": 0.0,
    "checkpoint_seconds": 0.0, "finish_seconds": 1.0, "tokens": 1000, "memory_bytes": 10**9, "steps_tried": 10,
    "memory": {"total": 10**10, "free": 10**10},
}  # fmt: skip


@pytest.fixture
def ask(client, as_alice, base, version):
    def send(where: str, *, scopes=("jobs:write",), actor=as_alice, **body):
        _key, secret = issue_key(actor, workspace_id=actor.workspace_id, name="test", scopes=list(scopes))
        body = {"version": version.id, "base_model": base.id, **body}
        headers = {"Authorization": f"Bearer {secret}"}
        return client.post(f"{ADDRESS}/{where}", json.dumps(body), content_type="application/json", headers=headers)

    return send


def test_the_list_is_given_whole_and_a_worker_is_asked_to_look(ask) -> None:
    answer = ask("preflight", method="lora", hyperparameters={"batch_size": 4})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["looked_over"] == "queued" and body["steps"] == 30 and body["hyperparameters"]["batch_size"] == 4
    assert {each["severity"] for each in body["findings"]} <= {"stop", "warning", "fine"}
    assert {"The data is frozen", "Disk", "Validation rows"} <= {each["title"] for each in body["findings"]}
    assert ask("preflight").json()["looked_over"] == "queued"
    assert Measurement.objects.get().kind == "inspect"


def test_an_estimate_is_measured_first_and_then_holds_for_other_numbers_of_passes(ask, settings) -> None:
    asked = ask("estimate", preset="quick")
    assert asked.status_code == 202 and (asked.json()["state"], asked.json()["seconds"]) == ("queued", None)
    Measurement.objects.update(state="ready", result=TRIED)
    settings.PRICE_TRAINING_HOUR_MICRO = 3_600_000
    found = ask("estimate", preset="quick")
    assert found.status_code == 200
    body = found.json()
    assert (body["steps"], body["steps_tried"], body["tokens"], body["memory_bytes"]) == (5, 10, 1000, 10**9)
    assert body["seconds"] == pytest.approx(5 + 5 + 1 + 1) and body["cost_micro"] == 12_000
    assert body["judging_seconds"] == 0, "nobody measured it"
    assert ask("estimate", preset="quick", hyperparameters={"n_epochs": 2}).json()["tokens"] == 2000


def test_what_failed_is_measured_once_more_when_asked(ask) -> None:
    ask("preflight")
    Measurement.objects.update(state="failed", error={"message": "No room.", "fix": ""})
    body = ask("preflight").json()
    (line,) = [each for each in body["findings"] if each["title"] == "Rows as the model sees them"]
    assert (body["looked_over"], line["act"]["kind"]) == ("failed", "look_again")
    assert ask("preflight", again=True).json()["looked_over"] == "queued"


def test_acts_give_settings_as_they_are_sent_back(ask) -> None:
    body = ask("preflight", hyperparameters={"batch_size": 128}).json()
    (line,) = [each for each in body["findings"] if each["title"] == "Batch size"]
    assert (line["act"]["kind"], line["act"]["values"], line["act"]["method"]) == ("fill", {"batch_size": 32}, "")
    again = ask("preflight", hyperparameters=line["act"]["values"])
    assert again.json()["hyperparameters"]["batch_size"] == 32


def test_a_version_is_derived_for_the_model_by_whoever_may_change_data(ask, version, as_charlie) -> None:
    made = ask("derive", scopes=["jobs:write", "files:write"], hyperparameters={"max_length": 100})
    assert made.status_code == 202 and made.json()["version"] != version.id
    assert ask("preflight", version=made.json()["version"]).json()["looked_over"] == ""
    assert ask("derive", scopes=["jobs:write"]).status_code == 403
    assert ask("derive", actor=as_charlie, scopes=["jobs:write", "files:write"]).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "slow"},
        {"method": "magic"},
        {"method": "qlora", "preset": "quick"},
        {"hyperparameters": {"batch_size": 0}},
        {"hyperparameters": {"colour": 1}},
        {"seed": -1},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_what_cannot_be_is_a_problem_with_its_name(ask, wrong) -> None:
    for where in ("preflight", "estimate", "derive"):
        answer = ask(where, **wrong)
        assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"
    assert not Measurement.objects.exists()


def test_strangers_find_neither_data_nor_model_and_readers_measure_nothing(ask, as_charlie) -> None:
    for where in ("preflight", "estimate"):
        assert ask(where, actor=as_charlie).status_code == 404
        assert ask(where, scopes=["jobs:read"]).status_code == 403
        assert ask(where, base_model="model_none").status_code == 404
    assert not Measurement.objects.exists()


def test_what_a_run_lets_people_see_is_read_by_its_workspace_alone(
    client, make_job, written, as_alice, as_charlie
) -> None:
    job = make_job(version=written)
    folder = job.folder / "looks"
    folder.mkdir(parents=True)
    (folder / "first_batch.json").write_text('{"version": 1, "rows": [{"pieces": [["What is 3?", false]]}]}')
    (folder / "hardest_rows.json").write_text('{"version": 1, "rows": [{"place": 0, "loss": 2.0}]}')
    (folder / "sample-5.json").write_text('{"step": 5, "answers": [{"place": 1, "answer": "Hm."}]}')

    def read(actor, *scopes):
        _key, secret = issue_key(actor, workspace_id=actor.workspace_id, name="test", scopes=list(scopes))
        return client.get(f"{ADDRESS}/{job.id}/looks", headers={"Authorization": f"Bearer {secret}"})

    found = read(as_alice, "jobs:read", "files:read").json()
    assert found["first_batch"]["rows"][0]["pieces"] == [["What is 3?", False]]
    assert found["hardest"]["rows"][0]["messages"][0]["content"] == "What is 40?"
    assert (found["samples"][0]["prompt"], found["samples"][0]["reference"]) == ("What is 41?", "It is 6.")
    assert read(as_alice, "jobs:read").json() == {
        "first_batch": {}, "samples": [], "hardest": {}, "expected": {}, "usage": {},
    }, "texts of rows take a key that may read rows"  # fmt: skip
    assert read(as_charlie, "jobs:read").status_code == 404
    assert read(as_alice, "models:read").status_code == 403
