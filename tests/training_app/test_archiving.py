"""Models and fine-tunes that are put away: what leaves the disk, what stays, and what stands in the way."""

from __future__ import annotations

import shutil

import pytest
from django.test import Client

from gptstudio.accounts import services as accounts
from gptstudio.accounts.models import Workspace
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, NotAllowed, NotFound
from gptstudio.review.selectors import item_about
from gptstudio.review.services import decide
from serving_app.services import create_deployment
from tests.worlds import finish_job, make_dataset, make_version
from tests.worlds import make_job as begun_job
from training_app import selectors, services
from training_app.management.commands.verify_model import way_to
from training_app.models import FineTuningJob, LanguageModel
from training_app.preflight import machine
from training_app.selectors.space import ended_by_size, models_by_size

pytestmark = pytest.mark.django_db
WEIGHTS = b"w" * 5000


def filled(folder, weights: bytes = WEIGHTS):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(weights)
    return folder


@pytest.fixture
def at_alice(alice, workspace) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def model(as_alice, starter, studio_home, tmp_path) -> LanguageModel:
    """A fine-tune that was evaluated, and whose release nobody asked for."""
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0])
    return finish_job(begun_job(as_alice, version=version, base=starter), folder=filled(tmp_path / "made"))


@pytest.fixture
def own_base(as_alice, workspace, tiny_base, studio_home) -> LanguageModel:
    shutil.copytree(tiny_base, studio_home / "import" / "tiny")
    return services.register_base_model(as_alice, workspace_id=workspace.id, name="tiny-1", path="tiny")


def test_a_model_that_is_put_away_frees_its_weights_and_stays_readable(model, as_alice, at_alice, workspace) -> None:
    page = at_alice.get(f"/models/{model.id}/").content.decode()
    assert "that frees 4.88 KB and cannot be undone" in page
    assert "4.88 KB" in at_alice.get("/models/space").content.decode()
    assert services.archive_model(as_alice, model=model) == len(WEIGHTS)
    assert not model.weights and (model.path / "config.json").exists()
    assert model not in selectors.models_of(workspace.id) and selectors.model_asked(workspace.id, model.name) is None
    assert models_by_size(workspace.id) == []
    line = AuditEvent.objects.get(action="model.archived")
    assert (line.subject_id, line.data["freed_bytes"]) == (model.id, len(WEIGHTS))
    found = selectors.model_of(workspace.id, model.id)
    for address in ("", "evidence", "card.md"):
        assert at_alice.get(f"/models/{model.id}/{address}").status_code == 200
    page = at_alice.get(f"/models/{model.id}/").content.decode()
    assert "put away" in page and "not asked" not in page
    assert "Its weights are deleted" in page and "Ask for release" not in page and "Take it along" not in page
    (step,) = (each for each in way_to(found) if each.subject.startswith("model "))
    assert step.state == "erased" and model.digest in step.detail
    for act in (services.request_release, services.take_model):
        with pytest.raises(Conflict):
            act(as_alice, model=found)
    with pytest.raises(Conflict, match="no longer kept"):
        services.request_export(as_alice, model=found, form="gguf-f16")
    assert services.archive_model(as_alice, model=found) == 0, "again does no harm"


def test_weights_that_another_model_has_too_stay_until_that_one_goes(
    model, as_alice, starter, workspace, tmp_path
) -> None:
    version = model.job.version
    again = begun_job(as_alice, version=version, base=starter)
    services.advance_job(again)
    twin = services.register_fine_tune(again, folder=model.path)
    FineTuningJob.objects.filter(id=again.id).update(state="cancelled")
    assert twin.digest == model.digest
    assert services.archive_model(as_alice, model=model) == 0 and model.weights
    assert services.archive_model(as_alice, model=twin) == len(WEIGHTS) and not model.weights


def test_the_same_content_registered_later_is_kept_whole_again(own_base, as_alice, workspace) -> None:
    services.archive_model(as_alice, model=own_base)
    assert not own_base.weights and (own_base.path / "tokenizer.json").exists(), "versions were counted with it"
    again = services.register_base_model(as_alice, workspace_id=workspace.id, name="tiny-1", path="tiny")
    assert again.digest == own_base.digest and again.weights


def test_what_is_in_use_cannot_be_put_away(model, as_alice, workspace, own_base) -> None:
    def refused(which) -> str:
        with pytest.raises(Conflict) as found:
            services.archive_model(as_alice, model=which)
        assert which.weights or which.workspace_id is None
        return found.value.message

    FineTuningJob.objects.filter(id=model.job_id).update(state="paused", phase="evaluate")
    assert "Its fine-tune is not over" in refused(model)
    FineTuningJob.objects.filter(id=model.job_id).update(state="succeeded")
    services.request_release(as_alice, model=model)
    assert "has not decided yet" in refused(model)
    item = item_about(model.id, kind="model")
    Workspace.objects.filter(id=workspace.id).update(release_policy="self")
    decide(as_alice, item=item, verdict="approved", reason="Fine.")
    assert "It is released" in refused(model)
    targets = [{"model": model.id, "weight": 1}]
    create_deployment(as_alice, workspace_id=workspace.id, name="support", targets=targets)
    decide(as_alice, item=item, verdict="rejected", reason="No.")
    assert "The deployment" in refused(model)
    LanguageModel.objects.create(
        workspace=workspace, name="ft:x", kind="fine_tune", base=model, is_adapter=True, digest="x"
    )
    assert "stands on its weights" in refused(model)
    assert "came with the studio" in refused(model.base)
    LanguageModel.objects.filter(id=model.id).update(base=own_base)
    assert "Models descend from it" in refused(own_base)


def test_a_base_model_that_is_learnt_from_cannot_be_put_away(own_base, as_alice, version, workspace) -> None:
    job = services.create_job(as_alice, workspace_id=workspace.id, base_model=own_base, version=version)
    with pytest.raises(Conflict, match="A fine-tune of it is not over"):
        services.archive_model(as_alice, model=own_base)
    services.pause_job(as_alice, job=job)
    FineTuningJob.objects.filter(id=job.id).update(state="failed")
    services.archive_model(as_alice, model=own_base)
    with pytest.raises(Conflict, match="was put away"):
        services.resume_job(as_alice, job=job)


def test_who_may_put_what_away(model, own_base, as_tom, as_bob, as_charlie, client, bob) -> None:
    for actor, which in ((as_bob, model), (as_charlie, model), (as_tom, own_base)):
        with pytest.raises(NotAllowed):
            services.archive_model(actor, model=which)
    client.force_login(bob)
    assert client.post(f"/models/{model.id}/archive").status_code == 403
    with pytest.raises(NotAllowed):
        services.archive_job(as_bob, job=model.job)
    with pytest.raises(NotFound):
        selectors.model_of(as_charlie.workspace_id, model.id)
    services.archive_model(as_tom, model=model)


def test_a_fine_tune_that_is_put_away_frees_its_checkpoints_and_stays_readable(
    make_job, as_tom, workspace, at_alice
) -> None:
    job = make_job(name="Second try")
    filled(job.folder / "checkpoints" / "checkpoint-5")
    with pytest.raises(Conflict, match="is queued"):
        services.archive_job(as_tom, job=job)
    FineTuningJob.objects.filter(id=job.id).update(state="failed")
    assert [(each, size) for each, size in ended_by_size(workspace.id)] == [(job, len(WEIGHTS))]
    assert "that frees 4.88 KB" in at_alice.get(f"/fine-tunes/{job.id}/settings").content.decode()
    assert "Second try" in at_alice.get("/models/space").content.decode()
    answer = at_alice.post(f"/fine-tunes/{job.id}/archive", follow=True).content.decode()
    assert "4.88 KB are free again" in answer and "Try again" not in answer
    assert not (job.folder / "checkpoints").exists() and not selectors.jobs_of(workspace.id).exists()
    assert AuditEvent.objects.get(action="job.archived").subject_id == job.id
    with pytest.raises(Conflict, match="was put away"):
        services.resume_job(as_tom, job=job)


def test_programs_put_models_and_fine_tunes_away(client, model, as_alice, workspace) -> None:
    _key, secret = accounts.issue_key(
        as_alice, workspace_id=workspace.id, name="tidy", scopes=["models:write", "jobs:write"]
    )
    headers = {"Authorization": f"Bearer {secret}"}
    _key, weak = accounts.issue_key(as_alice, workspace_id=workspace.id, name="reads", scopes=["models:read"])
    address = f"/api/v1/models/{model.id}"
    assert client.delete(address, headers={"Authorization": f"Bearer {weak}"}).status_code == 403
    assert client.delete(address, headers=headers).json() == {"id": model.id, "freed_bytes": len(WEIGHTS)}
    assert client.delete(f"/api/v1/fine-tuning-jobs/{model.job_id}", headers=headers).json()["freed_bytes"] == 0
    assert not selectors.jobs_of(workspace.id).exists()


def test_a_full_disk_leads_to_what_can_be_put_away(base, monkeypatch, at_alice) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**9, 10**9 - 10, 10))
    finding = machine.disk(base, method="full", hyperparameters={})
    assert finding.severity == "stop" and finding.act is not None and finding.act.kind == "free"
    page = at_alice.get("/models/space").content.decode()
    assert "There is none of its own yet" in page and "10 bytes" in page
