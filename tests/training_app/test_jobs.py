"""Jobs as people steer them, in every state that they can be in."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from datasets_app import recipes
from datasets_app import services as data
from datasets_app.models import Erasure
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound
from gptstudio.review.models import ReviewItem
from gptstudio.review.services import decide
from training_app import presets, runner, selectors, services
from training_app.models import Checkpoint, FineTuningJob, JobEvent, LanguageModel
from training_app.preflight import preflight
from training_app.services.models import public_name


def fresh(job) -> FineTuningJob:
    return FineTuningJob.objects.select_related("workspace", "version", "base_model").get(id=job.id)


def put(job, **columns) -> FineTuningJob:
    FineTuningJob.objects.filter(id=job.id).update(**columns)
    return fresh(job)


def test_a_job_on_a_ready_version_waits_with_its_whole_set(make_job, as_tom) -> None:
    job = make_job(suffix="tone", hyperparameters={"n_epochs": 2, "batch_size": "auto"}, seed=7)
    assert (job.state, job.name, job.requested) == ("queued", "tone", {"n_epochs": 2})
    assert (job.hyperparameters["n_epochs"], job.hyperparameters["batch_size"]) == (2, 8)
    assert job.hyperparameters["seed"] == job.seed == 7
    line = AuditEvent.objects.get(action="job.created")
    assert (line.subject_id, line.actor_id) == (job.id, as_tom.id)


@pytest.mark.parametrize(
    "options",
    [
        {"suffix": "-bad"},
        {"suffix": "x" * 65},
        {"method": "prefix"},
        {"preset": "fast"},
        {"hyperparameters": {"n_epochs": 0}},
        {"seed": -1},
        {"seed": 2**70},
        {"version": None},
    ],
    ids=str,
)
def test_a_job_that_cannot_be_is_refused(make_job, options) -> None:
    with pytest.raises(Invalid):
        make_job(**options)
    assert not FineTuningJob.objects.exists()


def test_a_run_goes_on_from_a_lora_fine_tune_and_is_compared_with_it(
    make_job, base, as_tom, as_charlie, workspace, version, settings
) -> None:
    tuned = LanguageModel.objects.create(
        workspace=workspace, name="ft:studio-starter-1:care::1", title="Tone", kind="fine_tune", base=base,
        job=put(make_job(), state="succeeded"), is_adapter=True, digest="e" * 64, parameters=9, context_length=256,
    )  # fmt: skip
    assert list(selectors.starts_of(workspace.id)) == [base, tuned]
    with pytest.raises(NotFound):
        selectors.start_of(as_charlie.workspace_id, tuned.id)
    job = services.create_job(as_tom, workspace_id=workspace.id, base_model=tuned, version=version)
    start = {"name": tuned.name, "path": str(tuned.path), "base_path": str(base.path)}
    made = LanguageModel(name="y", digest="f" * 64, base=tuned)
    assert runner.train_spec(job)["base_model"] == runner.evaluate_spec(job, made)["base_model"] == start
    assert runner.evaluate_spec(job, made)["tuned_model"]["base_path"] is None
    assert public_name(job).startswith("ft:studio-starter-1:care:")
    found = {
        each.title: each for each in preflight(version=version, base_model=tuned, hyperparameters=job.hyperparameters)
    }
    assert found["Tokenizer of the recipe"].severity == "fine", "it has its base model's"
    assert "A fine-tune of it is not over" in services.hindrance(tuned)
    settings.TRAINING_DEVICE = "cuda"
    with pytest.raises(Invalid, match="in 4 bits that would lose it"):
        services.create_job(as_tom, workspace_id=workspace.id, base_model=tuned, version=version, method="qlora")


def test_an_editor_may_not_start_or_stop_a_job(make_job, as_bob, workspace, base, version) -> None:
    job = make_job()
    with pytest.raises(NotAllowed):
        services.create_job(as_bob, workspace_id=workspace.id, base_model=base, version=version)
    for act in (services.cancel_job, services.pause_job, services.resume_job):
        with pytest.raises(NotAllowed):
            act(as_bob, job=job)


def test_a_stranger_finds_nothing_and_cannot_train_on_anothers_data(make_job, as_charlie, base, version, file) -> None:
    job, theirs = make_job(), as_charlie.workspace_id
    with pytest.raises(NotFound):
        selectors.job_of(theirs, job.id)
    assert not selectors.jobs_of(theirs).exists()
    for options in ({"version": version}, {"training_file": file}):
        with pytest.raises(NotFound):
            services.create_job(as_charlie, workspace_id=theirs, base_model=base, **options)
    for act in (services.cancel_job, services.pause_job, services.resume_job):
        with pytest.raises(NotAllowed):
            act(as_charlie, job=job)
    assert FineTuningJob.objects.count() == 1


def findings(version, base) -> dict[str, str]:
    settings = presets.resolve(
        preset_key="balanced", method="full", requested={}, parameters=1, rows=40, context_length=256, seed=0
    )
    found = preflight(version=version, base_model=base, hyperparameters=settings)
    return {each.title: each.severity for each in found}


def test_the_list_before_the_run_stops_for_rows_data_and_disk(version, kept_version, base, monkeypatch) -> None:
    assert "stop" not in findings(version, base).values()
    assert findings(kept_version, base)["Personal data"] == "stop"
    version.report["splits"]["train"] = 0
    assert findings(version, base)["The data is frozen"] == "stop"
    base.parameters = 10**15
    assert findings(version, base)["Disk"] == "stop"


def test_the_list_warns_of_few_rows_and_another_tokenizer(version, base) -> None:
    recipes.step(version.recipe, "tokens")["options"]["model"] = "another"
    version.report["splits"] |= {"train": 20, "validation": 0}
    found = findings(version, base)
    assert [found[title] for title in ("The data is frozen", "Validation rows", "Tokenizer of the recipe")] == [
        "warning"
    ] * 3


def test_a_hard_stop_starts_no_job(make_job, kept_version) -> None:
    with pytest.raises(Conflict, match="Personal data: .* nobody has allowed it") as refused:
        make_job(version=kept_version)
    assert refused.value.code == "preflight"
    assert not FineTuningJob.objects.exists()


def test_once_a_reviewer_allows_the_data_the_job_starts(make_job, kept_version, as_alice) -> None:
    item = ReviewItem.objects.get(subject_id=kept_version.id)
    decide(as_alice, item=item, verdict="approved", reason="The customers agreed.")
    assert make_job(version=kept_version).state == "queued"


def test_a_job_on_a_file_freezes_it_first(make_job, file, finish) -> None:
    erased = [{"file": file.id, "record": 1}]
    Erasure.objects.create(dataset=file.dataset, entries=erased)
    job = make_job(training_file=file)
    assert (job.state, job.version.state, job.hyperparameters) == ("validating_files", "queued", {})
    assert recipes.step(job.version.recipe, "edits")["options"]["erased"] == erased
    assert recipes.step(job.version.recipe, "tokens")["options"]["limit"] == 256
    services.requeue_stale()
    assert fresh(job).state == "validating_files"
    finish(job.version)
    assert services.requeue_stale() == 1
    found = fresh(job)
    assert (found.state, found.hyperparameters["max_length"]) == ("queued", 256)
    (event,) = selectors.events_of(found)
    assert (event.level, event.message) == ("warn", "Data frozen: 50 of 50 rows kept, 2 pieces of personal data hidden")
    services.requeue_stale()
    assert selectors.events_of(found).count() == 1


def test_a_given_validation_file_is_used_whole(make_job, file, as_bob, dataset) -> None:
    other = data.add_file(as_bob, dataset=dataset, name="tickets.csv", chunks=[b"question,answer\nHow?,So.\n"])
    job = make_job(training_file=file, validation_file=other)
    options = recipes.step(job.version.recipe, "split")["options"]
    assert (options["validation_files"], options["validation"], options["test"]) == ([other.id], 0.0, 0.1)
    assert set(job.version.files.all()) == {file, other}


def test_the_same_rows_cannot_be_training_and_validation(make_job, file) -> None:
    with pytest.raises(Invalid, match="hold the same rows"):
        make_job(training_file=file, validation_file=file)


def test_a_file_that_cannot_be_curated_fails_the_job_with_its_sentence(make_job, file) -> None:
    job = make_job(training_file=file)
    held = data.claim_version(job.version_id, holder="w")
    data.fail_version(held, code="bad", message="tickets.csv has no answers.", fix="Add a column with them.")
    services.requeue_stale()
    assert fresh(job).state == "failed"
    assert fresh(job).error["message"] == "tickets.csv has no answers."


def test_a_file_without_rows_to_train_on_fails_the_job(make_job, file, finish) -> None:
    job = make_job(training_file=file)
    finish(job.version, train=0)
    services.requeue_stale()
    assert (fresh(job).state, fresh(job).error["code"]) == ("failed", "preflight")


@pytest.mark.parametrize("state", ["queued", "validating_files", "paused"])
def test_a_job_that_does_not_run_is_cancelled_at_once(make_job, as_tom, state) -> None:
    job = services.cancel_job(as_tom, job=put(make_job(), state=state))
    assert (job.state, job.finished_at is not None) == ("cancelled", True)
    assert services.claim_job(job.id, holder="w") is None


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_a_job_that_has_ended_is_neither_cancelled_nor_paused(make_job, as_tom, state) -> None:
    job = put(make_job(), state=state)
    for act in (services.cancel_job, services.pause_job):
        with pytest.raises(Conflict):
            act(as_tom, job=job)


def test_a_running_job_is_asked_to_stop_and_its_worker_sees_it(make_job, as_tom) -> None:
    job = services.claim_job(make_job().id, holder="w")
    assert services.beat(job)
    assert services.cancel_job(as_tom, job=job).state == "running"
    assert not services.beat(job)
    assert services.stop_job(job) == "cancelled"
    assert (fresh(job).state, fresh(job).lease_until) == ("cancelled", None)
    assert "Cancelled" in selectors.events_of(job).last().message


@pytest.mark.parametrize(
    ("saved", "step", "said"),
    [
        (True, 1200, "Paused; what was learnt up to step 1,200 is kept as a checkpoint"),
        (False, 40, "Paused; it had no time to save; what was learnt up to step 40 is kept as a checkpoint"),
        (True, 0, "Paused; nothing is kept yet"),
    ],
)
def test_the_log_of_a_stopped_run_claims_what_there_is(make_job, as_tom, saved, step, said) -> None:
    job = services.claim_job(make_job().id, holder="w")
    if step:
        Checkpoint.objects.create(job=job, step=step, path=f"checkpoints/checkpoint-{step}")
    services.pause_job(as_tom, job=job)
    services.stop_job(job, saved=saved)
    assert selectors.events_of(job).last().message == said


def test_a_running_job_pauses_and_goes_on(make_job, as_tom) -> None:
    job = services.claim_job(make_job().id, holder="w")
    services.pause_job(as_tom, job=job)
    services.stop_job(job)
    assert fresh(job).state == "paused"
    assert services.claim_job(job.id, holder="w") is None
    assert services.resume_job(as_tom, job=job).state == "queued"
    again = services.claim_job(job.id, holder="w")
    assert again.attempt == 2 and services.beat(again)


def test_a_cancel_is_not_turned_into_a_pause(make_job, as_tom) -> None:
    job = services.claim_job(make_job().id, holder="w")
    services.cancel_job(as_tom, job=job)
    with pytest.raises(Conflict, match="being cancelled already"):
        services.pause_job(as_tom, job=job)
    assert services.stop_job(job) == "cancelled"


@pytest.mark.parametrize("state", ["queued", "running", "succeeded", "cancelled", "validating_files"])
def test_only_a_paused_or_failed_job_is_resumed(make_job, as_tom, state) -> None:
    job = put(make_job(), state=state, wanted="cancel")
    with pytest.raises(Conflict):
        services.resume_job(as_tom, job=job)
    assert (fresh(job).state, fresh(job).wanted) == (state, "cancel")


def test_a_failed_job_is_resumed_where_it_stood(make_job, as_tom) -> None:
    job = services.claim_job(make_job().id, holder="w")
    services.advance_job(job)
    services.fail_job(job, code="no_disk", message="The disk is full.", fix="Free some.")
    assert fresh(job).error == {"code": "no_disk", "message": "The disk is full.", "fix": "Free some."}
    resumed = services.resume_job(as_tom, job=job)
    assert (resumed.state, resumed.error, resumed.finished_at, resumed.phase) == ("queued", {}, None, "evaluate")


def test_a_job_that_was_cancelled_while_it_learned_goes_on_while_it_has_a_checkpoint(make_job, as_tom) -> None:
    job = services.claim_job(make_job().id, holder="w")
    Checkpoint.objects.create(job=job, step=40, path="checkpoints/checkpoint-40")
    services.cancel_job(as_tom, job=job)
    assert services.stop_job(job) == "cancelled" and fresh(job).can_go_on
    resumed = services.resume_job(as_tom, job=fresh(job))
    assert (resumed.state, resumed.phase, resumed.wanted, resumed.finished_at) == ("queued", "train", "run", None)
    again = services.claim_job(job.id, holder="w")
    services.cancel_job(as_tom, job=again)
    services.stop_job(again)
    services.free_run(fresh(job))
    assert not Checkpoint.objects.filter(job=job).exists() and not fresh(job).can_go_on


def test_checkpoints_that_the_engine_deleted_are_listed_no_more(make_job) -> None:
    job = services.claim_job(make_job().id, holder="w")
    told = [("checkpoint", {"step": step, "path": f"checkpoints/checkpoint-{step}"}) for step in (10, 20, 30)]
    told += [("kept", {"steps": [20, 30]})]
    events = [
        {"attempt": job.attempt, "seq": seq, "kind": kind, "at": "2026-01-01T00:00:00+00:00", "data": data}
        for seq, (kind, data) in enumerate(told, start=1)
    ]
    assert services.record_events(job, phase="train", events=events, offset=1)
    assert [each.step for each in selectors.checkpoints_of(job)] == [30, 20]
    assert not selectors.events_of(job).filter(kind="kept").exists()


@pytest.mark.parametrize("phase", ["evaluate", "safety"])
def test_a_job_that_was_cancelled_before_its_verdict_can_be_gone_on_with(make_job, as_tom, tiny_base, phase) -> None:
    job = services.claim_job(make_job().id, holder="w")
    job = put(job, phase=phase, state="running")
    model = services.register_fine_tune(job, folder=tiny_base)
    with pytest.raises(Conflict) as refused:
        services.request_release(as_tom, model=model)
    assert refused.value.fix == "Wait until its fine-tune has finished."
    services.cancel_job(as_tom, job=job)
    assert services.stop_job(job) == "cancelled"
    assert "the model that was trained stays" in JobEvent.objects.filter(job=job).latest("seq").message
    model.refresh_from_db()
    with pytest.raises(Conflict) as refused:
        services.request_release(as_tom, model=model)
    assert refused.value.fix == f"Go on with its fine-tune, {job.name}."
    resumed = services.resume_job(as_tom, job=job)
    assert (resumed.state, resumed.phase, resumed.wanted) == ("queued", phase, "run")
    assert services.claim_job(job.id, holder="w") is not None


def test_a_job_paused_before_its_data_was_frozen_waits_for_it_again(make_job, as_tom, file, finish) -> None:
    job = make_job(training_file=file)
    services.pause_job(as_tom, job=job)
    assert services.resume_job(as_tom, job=job).state == "validating_files"
    finish(job.version)
    services.requeue_stale()
    assert fresh(job).state == "queued"


def test_a_job_paused_while_its_data_was_frozen_is_filled_in_when_resumed(make_job, as_tom, file, finish) -> None:
    job = make_job(training_file=file)
    services.pause_job(as_tom, job=job)
    finish(job.version)
    resumed = services.resume_job(as_tom, job=job)
    assert resumed.state == "queued" and resumed.hyperparameters["batch_size"] == 8


def test_a_job_whose_data_failed_is_not_resumed(make_job, as_tom, file) -> None:
    job = make_job(training_file=file)
    data.fail_version(data.claim_version(job.version_id, holder="w"), code="bad", message="No.")
    services.requeue_stale()
    with pytest.raises(Conflict, match="could not be made"):
        services.resume_job(as_tom, job=fresh(job))


def test_a_job_that_waits_for_an_engine_can_be_cancelled_but_not_paused(make_job, as_tom) -> None:
    job = put(make_job(), state="running", phase="release")
    with pytest.raises(Conflict, match="nothing left to pause"):
        services.pause_job(as_tom, job=job)
    assert services.cancel_job(as_tom, job=job).state == "cancelled"
    assert not services.finish_released_job(job.id)


def test_one_slot_means_one_job_at_a_time(make_job, settings) -> None:
    settings.TRAINING_SLOTS = 1
    first, second = make_job(), make_job()
    assert services.claim_job(first.id, holder="one") is not None
    assert services.claim_job(first.id, holder="two") is None
    assert services.claim_job(second.id, holder="two") is None
    services.fail_job(fresh(first), code="x", message="x")
    assert services.claim_job(second.id, holder="two") is not None


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_claim_at_once_only_as_many_win_as_there_are_slots(make_job, settings) -> None:
    settings.TRAINING_SLOTS = 1
    jobs = [make_job(seed=number) for number in range(4)]
    gate, won = threading.Barrier(4), []

    def claim(job) -> None:
        gate.wait(timeout=120)
        try:
            won.append(services.claim_job(job.id, holder=job.id))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(won) == 4 and sum(each is not None for each in won) == 1


def test_a_job_whose_worker_died_is_sent_again_and_claimed_with_a_new_attempt(make_job, monkeypatch) -> None:
    sent = []
    monkeypatch.setattr("training_app.services.stale.enqueue", lambda task, subject, **_: sent.append(subject))
    job = services.claim_job(make_job().id, holder="dead")
    put(job, created_at=timezone.now() - timedelta(minutes=5))
    assert services.requeue_stale() == 0
    put(job, lease_until=timezone.now() - timedelta(seconds=1))
    assert services.requeue_stale() == 1 and sent == [job.id]
    assert services.claim_job(job.id, holder="new").attempt == 2
    assert not services.beat(job) and not services.advance_job(job)
    assert not services.fail_job(job, code="x", message="from the dead")


def test_a_run_that_ends_its_worker_every_time_is_given_up(make_job) -> None:
    job = services.claim_job(make_job().id, holder="dead")
    put(job, attempt=10, lease_until=timezone.now() - timedelta(seconds=1))
    services.requeue_stale()
    assert (fresh(job).state, fresh(job).error["code"]) == ("failed", "gave_up")


@pytest.mark.parametrize("kind", ["checkpoint", "finished"])
def test_a_run_that_gets_further_is_not_given_up_however_often_its_worker_dies(make_job, kind) -> None:
    job = services.claim_job(make_job().id, holder="dead")
    dead = timezone.now() - timedelta(seconds=1)
    put(job, attempt=19, lease_until=dead)
    data = {"step": 40, "path": "checkpoints/checkpoint-40"}
    JobEvent.objects.create(
        job=job, phase="train", attempt=10, seq=1, kind=kind, data=data, at=timezone.now(), message=""
    )
    services.requeue_stale()
    assert fresh(job).state == "running"
    put(job, attempt=20, lease_until=dead)
    services.requeue_stale()
    assert (fresh(job).state, fresh(job).error["code"]) == ("failed", "gave_up")


def test_pauses_and_resumes_are_no_reason_to_give_a_run_up(make_job, as_tom) -> None:
    job = make_job()
    for _ in range(11):
        held = services.claim_job(job.id, holder="w")
        services.pause_job(as_tom, job=held)
        assert services.stop_job(held) == "paused"
        services.resume_job(as_tom, job=fresh(job))
    for attempt in range(12, 22):
        assert services.claim_job(job.id, holder="dead").attempt == attempt
        put(job, lease_until=timezone.now() - timedelta(seconds=1))
        services.requeue_stale()
        assert fresh(job).state == ("failed" if attempt == 21 else "running")
    assert "begun 10 times" in fresh(job).error["message"]
    services.resume_job(as_tom, job=fresh(job))
    services.claim_job(job.id, holder="dead")
    put(job, lease_until=timezone.now() - timedelta(seconds=1))
    services.requeue_stale()
    assert fresh(job).state == "running", "whoever resumes it has ten tries again"


def test_a_worker_that_went_politely_leaves_the_job_in_the_queue(make_job) -> None:
    job = services.claim_job(make_job().id, holder="w")
    assert services.stop_job(job) == "queued"
    assert fresh(job).state == "queued"
