"""Fine-tuning jobs through the official client. No worker runs here: states are set as a worker would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

from training_app.models import Checkpoint, JobEvent, LanguageModel, MetricPoint, ModelKind
from training_app.models import FineTuningJob as Row

LINE = b'{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n'


@pytest.fixture(autouse=True)
def starter(studio_home, settings, tiny_folder, transactional_db):
    from training_app.services import ensure_starter

    settings.STARTER_FOLDER = tiny_folder
    return ensure_starter()


@pytest.fixture
def file_id(client) -> str:
    return client.files.create(file=("train.jsonl", LINE * 20), purpose="fine-tune").id


def start(client: openai.OpenAI, file_id: str, **options) -> FineTuningJob:
    return client.fine_tuning.jobs.create(model="studio-starter-1", training_file=file_id, **options)


def test_a_request_that_comes_again_while_the_first_is_worked_on_is_tried_again_by_the_client(
    client, file_id, monkeypatch
):
    from gptstudio.api import services

    key = {"Idempotency-Key": "one"}
    with monkeypatch.context() as killed:  # before the first was answered
        killed.setattr(services, "keep_answer", lambda *_args, **_answer: None)
        start(client, file_id, extra_headers=key)
    with pytest.raises(openai.ConflictError) as refused:
        start(client, file_id, extra_headers=key)
    assert refused.value.code == "request_in_flight"
    headers = refused.value.response.headers
    assert (headers["x-should-retry"], headers["retry-after"]) == ("true", "2")
    assert Row.objects.count() == 1


def test_a_new_job_has_every_required_field(client, file_id):
    job = start(client, file_id, suffix="tone", seed=7, metadata={"team": "care"})
    FineTuningJob.model_validate(job.model_dump(), strict=True)
    assert job.object == "fine_tuning.job" and job.status == "validating_files"
    assert (job.model, job.training_file, job.validation_file, job.seed) == ("studio-starter-1", file_id, None, 7)
    assert job.fine_tuned_model is None and job.finished_at is None and job.trained_tokens is None and job.error is None
    assert job.hyperparameters.n_epochs == "auto" and job.result_files == []
    assert job.metadata == {"team": "care"}
    assert client.fine_tuning.jobs.retrieve(job.id) == job


@pytest.mark.parametrize(
    "options",
    [
        {"hyperparameters": {"n_epochs": 2, "batch_size": "auto", "learning_rate_multiplier": 0.5}},
        {
            "method": {
                "type": "supervised",
                "supervised": {
                    "hyperparameters": {"n_epochs": 2, "batch_size": "auto", "learning_rate_multiplier": 0.5}
                },
            }
        },
    ],
)
def test_hyperparameters_are_taken_from_both_places(client, file_id, options):
    job = start(client, file_id, **options)
    assert Row.objects.get(id=job.id).requested == {"n_epochs": 2, "learning_rate_multiplier": 0.5}
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == (2, "auto")
    assert job.method.supervised.hyperparameters.learning_rate_multiplier == 0.5


@pytest.mark.parametrize(
    ("given", "kept", "beta"),
    [({"beta": 0.3, "n_epochs": 2}, {"dpo_beta": 0.3, "n_epochs": 2}, 0.3), ({"beta": "auto"}, {}, "auto")],
)
def test_pairs_of_answers_are_learned_from_by_openais_method(client, file_id, given, kept, beta):
    job = start(client, file_id, method={"type": "dpo", "dpo": {"hyperparameters": given}})
    assert Row.objects.get(id=job.id).requested == {**kept, "objective": "dpo"}
    assert (job.method.type, job.method.dpo.hyperparameters.beta) == ("dpo", beta)
    FineTuningJob.model_validate(job.model_dump(), strict=True)


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"method": {"type": "reinforcement"}}, "method.type"),
        ({"method": {"type": "dpo", "supervised": {}}}, "method.supervised"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0}}}}, "dpo_beta"),
        ({"method": {}}, "method.type"),
        ({"method": {"type": "supervised", "dpo": {}}}, "method.dpo"),
        ({"method": {"type": "supervised", "supervised": {"n_epochs": 2}}}, "method.supervised.n_epochs"),
        ({"hyperparameters": {"n_epochs": 0}}, "n_epochs"),
        ({"hyperparameters": {"n_epochs": 1.5}}, "n_epochs"),
        ({"hyperparameters": {"batch_size": "many"}}, "batch_size"),
        ({"suffix": "x" * 65}, "suffix"),
        ({"seed": -1}, "seed"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"extra_body": {"nonsense": 1}}, "nonsense"),
        ({"extra_body": {"integrations": {}}}, "integrations"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]}, "integrations"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(client, file_id, options, param):
    with pytest.raises(openai.BadRequestError) as refused:
        start(client, file_id, **options)
    assert refused.value.param == param


def test_an_unknown_model_or_file_is_refused(client, file_id):
    with pytest.raises(openai.NotFoundError) as refused:
        client.fine_tuning.jobs.create(model="gpt-4o", training_file=file_id)
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        start(client, "file-nowhere")


def test_a_job_can_be_paused_resumed_and_cancelled_once(client, file_id):
    job = start(client, file_id)
    paused = client.fine_tuning.jobs.pause(job.id)
    assert paused.status == "queued" and paused.metadata["studio_state"] == "paused"
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError) as refused:
        client.fine_tuning.jobs.cancel(job.id)
    assert "cancelled" in str(refused.value)
    with pytest.raises(openai.BadRequestError):
        client.fine_tuning.jobs.resume(job.id)


def test_a_finished_job_names_its_model_and_its_tokens(client, file_id, workspace, starter):
    job = start(client, file_id)
    Row.objects.filter(id=job.id).update(
        state="succeeded",
        trained_tokens=99,
        finished_at=datetime.now(UTC),
        hyperparameters={"n_epochs": 3.0, "batch_size": 8},
    )
    LanguageModel.objects.create(
        workspace=workspace,
        name="ft:studio-starter-1:care::1",
        kind=ModelKind.FINE_TUNE,
        base=starter,
        job_id=job.id,
        digest=starter.digest,
    )
    done = client.fine_tuning.jobs.retrieve(job.id)
    assert (done.status, done.fine_tuned_model, done.trained_tokens) == ("succeeded", "ft:studio-starter-1:care::1", 99)
    assert done.finished_at and done.hyperparameters.n_epochs == 3 and done.hyperparameters.batch_size == 8


def test_a_failed_job_says_why(client, file_id):
    job = start(client, file_id)
    Row.objects.filter(id=job.id).update(state="failed", error={"code": "x", "message": "What.", "fix": "Fix."})
    error = client.fine_tuning.jobs.retrieve(job.id).error
    assert (error.code, error.message, error.param) == ("x", "What. Fix.", None)


def test_events_come_newest_first_in_pages_even_when_times_are_equal(client, file_id):
    job = start(client, file_id)
    at = datetime.now(UTC)
    for seq in range(5):
        JobEvent.objects.create(
            job_id=job.id,
            phase="train",
            attempt=1,
            seq=seq,
            kind="metric" if seq else "started",
            message=f"line {seq}",
            data={"step": seq},
            at=at + timedelta(seconds=seq // 2),
        )
    events = list(client.fine_tuning.jobs.list_events(job.id, limit=2))
    assert {event.message for event in events} == {f"line {seq}" for seq in range(5)} and len(events) == 5
    assert [event.created_at for event in events] == sorted([event.created_at for event in events], reverse=True)
    assert events[0].object == "fine_tuning.job.event" and events[0].level == "info"
    assert events[0].type == "metrics" and events[0].data == {"step": 4}


def test_checkpoints_tell_what_was_measured(client, file_id):
    job = start(client, file_id, suffix="tone")
    MetricPoint.objects.create(job_id=job.id, step=5, epoch=1.0, loss=0.5, validation_loss=0.6)
    for step in (5, 10):
        Checkpoint.objects.create(job_id=job.id, step=step, path=f"checkpoints/{step}", validation_loss=0.6)
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id, limit=1))
    assert [each.step_number for each in checkpoints] == [10, 5]
    assert (checkpoints[1].metrics.train_loss, checkpoints[1].metrics.valid_loss) == (0.5, 0.6)
    name = f"ft:studio-starter-1:care:tone:{job.id[-8:]}:ckpt-step-5"
    assert checkpoints[1].fine_tuned_model_checkpoint == name


def test_of_a_job_with_a_model_the_checkpoint_that_it_was_made_of_is_left(client, file_id, workspace, starter):
    job = start(client, file_id)
    plan = {"finished": {"best_step": 5, "steps": 10}}
    Row.objects.filter(id=job.id).update(state="succeeded", finished_at=datetime.now(UTC), plan=plan)
    MetricPoint.objects.create(job_id=job.id, step=5, epoch=1.0, loss=0.5, validation_loss=0.6)
    model = LanguageModel.objects.create(
        workspace=workspace, name="ft:x", kind=ModelKind.FINE_TUNE, base=starter, job_id=job.id, digest=starter.digest
    )
    (checkpoint,) = client.fine_tuning.jobs.checkpoints.list(job.id)
    FineTuningJobCheckpoint.model_validate(checkpoint.model_dump(), strict=True)
    assert checkpoint.fine_tuned_model_checkpoint == f"{model.name}:ckpt-step-5"
    assert (checkpoint.step_number, checkpoint.metrics.valid_loss) == (5, 0.6)
    assert list(client.fine_tuning.jobs.checkpoints.list(job.id, after=checkpoint.id)) == []


def test_jobs_are_listed_in_pages_and_by_metadata(client, file_id):
    ids = [start(client, file_id, metadata={"n": str(number)}).id for number in range(3)]
    assert [job.id for job in client.fine_tuning.jobs.list(limit=1)] == ids[::-1]
    assert [job.id for job in client.fine_tuning.jobs.list(metadata={"n": "1"})] == [ids[1]]


def test_a_stranger_sees_and_steers_nothing(client, stranger, file_id):
    job = start(client, file_id)
    jobs = stranger.fine_tuning.jobs
    assert list(jobs.list()) == []
    for ask in (jobs.retrieve, jobs.cancel, jobs.pause, jobs.resume):
        with pytest.raises(openai.NotFoundError):
            ask(job.id)
    for ask in (jobs.list_events, jobs.checkpoints.list):
        with pytest.raises(openai.NotFoundError):
            list(ask(job.id))
    with pytest.raises(openai.NotFoundError):
        start(stranger, file_id)
    assert client.fine_tuning.jobs.retrieve(job.id).status == "validating_files"
