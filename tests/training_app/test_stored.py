"""Runs, models and exports in a bucket: hosts die, others go on, a third machine verifies, what is put away is gone."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from datasets_app import recipes
from datasets_app import services as data
from datasets_app import tasks as data_tasks
from datasets_app.models import DatasetVersion
from gptstudio.accounts.models import Workspace
from gptstudio.core import storage
from gptstudio.core.digests import file_digest
from gptstudio.core.storage import StorageTrouble
from gptstudio.overview.erasure import emptied
from tests.training_app.engine.conftest import patient_engine
from training_app import launching, looks, runner, selectors, services, tasks
from training_app.management.commands.verify_model import way_to
from training_app.models import Checkpoint, FineTuningJob, JobEvent, LanguageModel, ModelExport
from training_app.selectors.answers import answers_of

pytestmark = [pytest.mark.django_db, pytest.mark.long]

SHORT = {"batch_size": 1, "n_epochs": 1, "max_length": 64, "eval_steps": 20, "save_steps": 10}


class HostDied(BaseException):
    """Nothing after it happens on that machine."""


@pytest.fixture
def homes(tmp_path) -> list[Path]:
    return [tmp_path / name for name in ("a", "b", "c", "d")]


@pytest.fixture
def job(bucket, homes, make_job, as_bob, dataset) -> FineTuningJob:
    """Waits to be run. The file came to machine A, the version was built on B."""
    lines = ["question,answer"]
    for number in range(60):
        words = " ".join(f"{letter}{number * factor % 997}" for letter, factor in zip("abc", (3, 5, 7), strict=True))
        lines.append(f"Where is {words}?,There {number}.")
    bucket.on(homes[0])
    data.add_file(as_bob, dataset=dataset, name="tickets.csv", chunks=["\n".join(lines).encode()])
    recipe = recipes.default_recipe()
    recipes.step(recipe, "tokens")["enabled"] = False
    version = data.create_version(as_bob, dataset=dataset, recipe=recipe)
    bucket.on(homes[1])
    data_tasks.build_version(version.id)
    version = DatasetVersion.objects.select_related("dataset").get(id=version.id)
    assert version.state == "ready", version.error
    return make_job(version=version, hyperparameters=SHORT)


def fresh(job: FineTuningJob) -> FineTuningJob:
    return FineTuningJob.objects.select_related("version__dataset").get(id=job.id)


def dies_once_a_checkpoint_is_in_the_bucket(job, monkeypatch, folder: Path) -> None:
    """Train on this machine until it dies with all that it has."""
    beat = services.beat

    def last_beat(held):
        if storage.names(job.stored_checkpoints) and storage.listed(job.stored):
            raise HostDied
        return beat(held)

    with monkeypatch.context() as patch:
        patch.setattr(launching, "ENGINE", (str(patient_engine(folder, step=10)),))
        patch.setattr(tasks.services, "beat", last_beat)
        with pytest.raises(HostDied):
            tasks.run_job(job.id)
    shutil.rmtree(storage.place("runs"))
    FineTuningJob.objects.filter(id=job.id).update(lease_until=timezone.now() - timedelta(minutes=1))


def test_a_run_outlives_its_host_and_a_third_machine_verifies_what_came_of_it(
    bucket, homes, job, monkeypatch, workspace, tmp_path, as_alice
) -> None:
    Workspace.objects.filter(id=workspace.id).update(release_policy="automatic")
    monkeypatch.setitem(runner.child.run.__kwdefaults__, "tick_seconds", 0.05)
    bucket.on(homes[0])
    dies_once_a_checkpoint_is_in_the_bucket(job, monkeypatch, tmp_path)

    bucket.on(homes[1])
    tasks.run_job(job.id)
    found = fresh(job)
    assert found.error == {}, found.error
    first, second = JobEvent.objects.filter(job=job, phase="train", kind="started").order_by("at")
    assert (first.data["resumed_from"], second.data["resumed_from"]) == (None, 10)
    assert max(point.step for point in selectors.metrics_of(found)) == found.plan["steps"]
    model = selectors.model_of_job(found)
    assert not Checkpoint.objects.filter(job=job).exists() and bucket.held("checkpoints/") == []

    bucket.on(homes[2])
    way = [str(step) for step in way_to(model)]
    assert {line.split()[0] for line in way} == {"fine"}, way
    assert {line.split()[1] for line in way} == {"base", "upload", "data", "spec", "model"}
    assert looks.first_batch(fresh(job)) and looks.losses(fresh(job))
    evaluation = selectors.evaluation_of(model)
    assert len(answers_of(evaluation)) == evaluation.rows

    weights = next(key for key in bucket.held("artifacts/") if model.digest in key and key.endswith(".safetensors"))
    bucket.damage(weights)
    bucket.on(homes[3])
    (damaged,) = [str(step) for step in way_to(model) if step.state == "differs" and step.subject.startswith("model")]
    assert f"in the bucket {bucket.name} is not what was written" in damaged

    bucket.on(homes[2])
    emptied(as_alice, version=found.version, reason="asked by her")
    assert bucket.held("versions/") == bucket.held("runs/") == []
    for home in homes[1:3]:
        bucket.on(home)
        storage.tidy()
        assert not (home / "versions" / found.version_id).exists() and not (home / "runs" / job.id / "looks").exists()
        assert not list((home / "runs").rglob("*.parquet"))
    assert storage.tidy() == storage.tidy_bucket() == 0


def test_a_bucket_that_is_away_holds_no_training_up_and_is_told_once(bucket, homes, job, monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(runner.child.run.__kwdefaults__, "tick_seconds", 0.05)
    held = services.claim_job(job.id, holder="test")
    assert held is not None
    take = services.record_events

    def away_once_it_learns(job, *, phase, events, offset):
        if any(event["kind"] == "metric" for event in events):
            bucket.server.stop()
        return take(job, phase=phase, events=events, offset=offset)

    with monkeypatch.context() as patch:
        patch.setattr(tasks.services, "record_events", away_once_it_learns)
        assert tasks._train(held), "it is trained to its end"
    (note,) = JobEvent.objects.filter(job=job, phase="", level="warn")
    assert note.message.startswith("What was learnt lies on this machine alone for now. The bucket")
    services.advance_job(held)
    services.stop_job(held)
    tasks.run_job(job.id)
    failed = fresh(job)
    assert (failed.state, failed.error["code"]) == ("failed", "unavailable") and bucket.name in failed.error["message"]

    bucket.server.start()
    services.resume_job(as_user(job), job=failed)
    shutil.rmtree(homes[1] / "runs")  # also its host is gone; no checkpoint came to the bucket
    bucket.on(homes[2])
    tasks.run_job(job.id)
    assert fresh(job).error == {} and selectors.model_of_job(fresh(job)).is_kept


def as_user(job: FineTuningJob):
    from gptstudio.accounts import selectors as people

    return people.actor_of_member(people.membership(job.created_by, job.workspace_id))


@pytest.fixture
def model(base, workspace, as_bob, tmp_path) -> LanguageModel:
    """A fine-tune that nobody has released; its weights are made up."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"w" * 5000)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    from gptstudio.core import artifacts

    digest, _path = artifacts.store_folder(folder)
    return LanguageModel.objects.create(
        workspace=workspace, name="ft:x", kind="fine_tune", base=base, digest=digest, parameters=1, context_length=64
    )


def test_weights_that_are_put_away_leave_the_bucket_and_other_machines(bucket, homes, model, as_alice) -> None:
    bucket.on(homes[1])
    assert model.path.is_dir() and sum(model.weights.values()) == 5000
    bucket.on(homes[0])
    assert services.archive_model(as_alice, model=model) == 5000
    assert not [key for key in bucket.held() if model.digest in key and key.endswith(".safetensors")]
    assert (model.path / "config.json").exists() and not model.weights
    bucket.on(homes[1])
    assert storage.tidy() == 1 and storage.tidy() == 0
    assert (model.path / "config.json").exists() and not model.weights


def test_an_export_made_on_one_machine_is_taken_on_another_and_deleted_everywhere(
    bucket, homes, model, as_alice, tmp_path
) -> None:
    bucket.on(homes[0])
    asked = services.request_export(as_alice, model=model, form="gguf-f32")
    held = services.claim_export(asked.id, holder="test")
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "model-f32.gguf").write_bytes(b"GGUF" * 100)
    files = [{"name": "model-f32.gguf", "size": 400, "sha256": file_digest(folder / "model-f32.gguf")}]
    bucket.server.stop()
    with pytest.raises(StorageTrouble):
        services.finish_export(held, folder=folder, files=files)
    assert not ModelExport.objects.get(id=asked.id).is_kept
    bucket.server.start()
    assert services.finish_export(held, folder=folder, files=files)
    bucket.on(homes[1])
    made = ModelExport.objects.select_related("model").get(id=asked.id)
    package = services.take_export(as_alice, export=made)
    assert b"".join(package.pieces) == b"GGUF" * 100
    services.delete_export(as_alice, export=made)
    assert bucket.held("exports/") == []
    bucket.on(homes[0])
    assert storage.tidy() == 1 and not list((homes[0] / "exports").iterdir())
