"""/api/v1/evaluations: the verdict with its interval, and test rows only with a line in the log."""

from __future__ import annotations

import pytest

from gptstudio.accounts import services as accounts
from gptstudio.audit.models import AuditEvent
from gptstudio.overview.erasure import emptied
from tests.worlds import finish_job, make_dataset, make_job, make_version
from training_app.models import Evaluation

pytestmark = pytest.mark.django_db


@pytest.fixture
def evaluation(as_alice, studio_home, starter, tmp_path):
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0])
    return finish_job(make_job(as_alice, version=version, base=starter), folder=tmp_path / "made").evaluation


@pytest.fixture
def headers(as_alice, workspace):
    scopes = ["models:read", "files:read"]
    _key, secret = accounts.issue_key(as_alice, workspace_id=workspace.id, name="reader", scopes=scopes)
    return {"Authorization": f"Bearer {secret}"}


def test_an_evaluation_says_its_verdict_its_interval_and_how_it_was_counted(client, evaluation, headers) -> None:
    listed = client.get("/api/v1/evaluations", headers=headers).json()
    assert [each["id"] for each in listed["data"]] == [evaluation.id] and listed["next"] is None
    assert listed["data"][0]["verdict"]["said"] == "better" and listed["data"][0]["headline"] == "rougeL"
    found = client.get(f"/api/v1/evaluations/{evaluation.id}", headers=headers).json()
    assert found["verdict"]["title"].startswith("Better than the base model on your test rows by 21 points of ROUGE-L")
    assert found["intervals"]["rougeL"]["low"] == 0.17 and found["interval"]["method"] == "paired bootstrap"
    assert found["signatures"]["rouge"] and found["safety"]["checks"][0]["key"] == "canaries"
    assert found["labels"]["confusion"]["tuned"] == [[0, 0, 8], [1, 0, 1], [1, 1, 1]]


def test_a_key_that_may_not_read_data_gets_no_answers_out_of_a_safety_report(
    client, evaluation, headers, as_alice, workspace
) -> None:
    evaluation.refresh_from_db()
    example = {"prompt": "Where is parcel 3?", "answer": "A row by heart."}
    checks = [{**evaluation.safety["checks"][0], "examples": [example]}]
    Evaluation.objects.filter(id=evaluation.id).update(safety={**evaluation.safety, "checks": checks})
    address = f"/api/v1/evaluations/{evaluation.id}"
    assert client.get(address, headers=headers).json()["safety"]["checks"][0]["examples"] == [example]
    for scopes in (["chat"], ["models:read"]):
        _key, secret = accounts.issue_key(as_alice, workspace_id=workspace.id, name="x", scopes=scopes)
        found = client.get(address, headers={"Authorization": f"Bearer {secret}"})
        assert found.json()["safety"]["checks"][0]["detail"] and "by heart" not in found.content.decode()


def test_rows_come_in_pages_and_who_opened_them_is_in_the_log(client, evaluation, headers) -> None:
    found = client.get(f"/api/v1/evaluations/{evaluation.id}/rows?start=8&limit=5", headers=headers).json()
    assert found["rows"] == 10 and [row["place"] for row in found["data"]] == [8, 9]
    assert found["data"][0]["base"] == "No 8." and found["data"][0]["tuned"] == "There."
    assert AuditEvent.objects.get(action="version.test_rows_opened").actor_kind == "key"
    beyond = client.get(f"/api/v1/evaluations/{evaluation.id}/rows?start=5000", headers=headers)
    assert beyond.status_code == 200 and beyond.json()["data"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "start=-1", "start=two"])
def test_a_page_that_cannot_be_is_refused_in_a_sentence(client, evaluation, headers, query: str) -> None:
    answer = client.get(f"/api/v1/evaluations/{evaluation.id}/rows?{query}", headers=headers)
    assert answer.status_code == 400 and answer.json()["fix"]
    assert not AuditEvent.objects.filter(action="version.test_rows_opened").exists()


def test_erased_data_takes_its_answers_along_and_leaves_the_scores(client, evaluation, headers, as_alice) -> None:
    evaluation.refresh_from_db()
    checks = [{**evaluation.safety["checks"][0], "examples": [{"prompt": "p", "answer": "a row"}]}]
    evaluation.safety = {**evaluation.safety, "checks": checks}
    evaluation.save()
    emptied(as_alice, version=evaluation.version, reason="Asked by letter.")
    evaluation.refresh_from_db()
    assert not evaluation.answers.exists() and evaluation.safety["checks"][0]["examples"] == []
    assert client.get(f"/api/v1/evaluations/{evaluation.id}/rows", headers=headers).json()["data"] == []
    found = client.get(f"/api/v1/evaluations/{evaluation.id}", headers=headers).json()
    assert found["verdict"]["said"] == "better"


def test_a_stranger_finds_no_evaluation(client, evaluation, charlie) -> None:
    client.force_login(charlie)
    for rest in ("", "/rows"):
        assert client.get(f"/api/v1/evaluations/{evaluation.id}{rest}").status_code in (403, 404)
    assert not AuditEvent.objects.filter(action="version.test_rows_opened").exists()


def test_a_key_of_another_workspace_finds_no_evaluation(client, evaluation, as_charlie) -> None:
    scopes = ["models:read", "files:read"]
    _key, secret = accounts.issue_key(as_charlie, workspace_id=as_charlie.workspace_id, name="x", scopes=scopes)
    for rest in ("", "/rows"):
        answer = client.get(f"/api/v1/evaluations/{evaluation.id}{rest}", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 404
