"""Would more data help? Runs on nested shares of the rows, one after another, and what is said of them."""

from __future__ import annotations

import json

import pytest

from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound
from training_app import gains, services, tasks
from training_app.looks import losses
from training_app.models import Checkpoint, Evaluation, FineTuningJob, JobState, LanguageModel, Study
from training_app.selectors import jobs_of
from training_app.selectors.studies import runs_of, study_of
from training_app.web import more_data

SHORT = {"batch_size": 4, "n_epochs": 2, "max_length": 64}


def fresh(study) -> Study:
    return Study.objects.select_related("origin").get(id=study.id)


@pytest.fixture
def begin(as_tom, workspace, base, version):
    """A learning curve on the ready version, unless told otherwise."""

    def make(**options):
        options = {"version": version, "base_model": base, "hyperparameters": SHORT, **options}
        return services.create_learning_curve(as_tom, workspace_id=workspace.id, **options)

    return make


def end(run, *, state: str = "succeeded", loss: float = 1.0, spread: float = 0.01, rows: int = 40) -> None:
    """As a worker leaves a run behind."""
    held = services.claim_job(run.id, holder="w")
    if state == "failed":
        services.fail_job(held, code="no_disk", message="The disk is full.", fix="Free some.")
    else:
        write_losses(run, loss=loss, spread=spread, rows=rows)
        services.succeed(held)


def write_losses(run, *, loss: float, spread: float = 0.01, rows: int = 40) -> None:
    lines = [[at, 10 * (loss + spread * (at * 7 % 5 - 2)), 10, at] for at in range(rows)]  # about `loss`, evenly
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / "validation_losses.json").write_text(json.dumps({"version": 1, "step": 1, "rows": lines}))


def test_a_curve_is_drawn_run_by_run_with_the_same_settings_and_says_whether_more_would_help(begin, as_tom) -> None:
    study = begin(name="Refunds", seed=7)
    for share, loss in ((0.25, 3.0), (0.5, 2.0), (1.0, 1.8)):
        run = runs_of(study)[-1]
        assert (run.state, run.rows_share, run.name) == ("queued", share, f"Refunds, {100 * share:.0f} % of the rows")
        end(run, loss=loss)
        services.continue_study(study.id)
        services.continue_study(study.id)  # a doubled message
    first, second, third = runs_of(study)
    cadence = {"eval_steps", "save_steps"}
    alike = [{k: v for k, v in run.hyperparameters.items() if k not in cadence} for run in (first, second, third)]
    assert alike[0] == alike[1] == alike[2] and alike[0]["seed"] == 7
    assert [run.hyperparameters["eval_steps"] for run in (first, second, third)] == [1, 2, 5]
    found = fresh(study)
    assert (found.state, found.result["verdict"]) == ("succeeded", "helps")
    assert [each["loss"] for each in found.result["runs"]] == pytest.approx([3.0, 2.0, 1.8], abs=0.02)
    last = found.result["gains"][-1]
    assert last["change"] == pytest.approx(-0.1, abs=0.01) and last["low"] < last["change"] < last["high"] < 0
    said = more_data.reading(found.result)
    assert said.title == "More rows would probably help."
    assert said.detail.startswith("From 50 % to 100 % of the rows the loss on the validation rows fell by ")
    assert AuditEvent.objects.get(action="study.created").subject_id == study.id


def test_a_finished_fine_tune_is_its_own_run_on_all_rows(make_job, as_tom) -> None:
    job = make_job(hyperparameters=SHORT)
    FineTuningJob.objects.filter(id=job.id).update(state="succeeded", plan={"train_rows": 40})
    write_losses(job, loss=2.0)
    job.refresh_from_db()
    study = services.create_learning_curve_of(as_tom, job=job)
    assert (study.length, study.origin_id, study.name) == (2, job.id, job.name)
    for loss in (2.02, 2.0):
        end(runs_of(study)[-1], loss=loss, spread=0.001)
        services.continue_study(study.id)
    found = fresh(study)
    assert (found.state, found.result["verdict"]) == ("succeeded", "enough")
    assert [each["job"] for each in found.result["runs"]] == [*(run.id for run in runs_of(study)), job.id]


def test_a_fine_tune_that_measured_no_losses_is_trained_again_on_all_rows(make_job, as_tom) -> None:
    job = make_job(hyperparameters=SHORT)
    study = services.create_learning_curve_of(as_tom, job=job)
    assert (study.length, study.origin) == (3, None)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ([2.0] * 40, [1.8] * 40, gains.HELPS),
        ([2.0] * 40, [1.98] * 40, gains.LITTLE_MORE),
        ([2.0] * 40, [2.2] * 40, gains.HARMS),
        ([2.0, 2.02] * 20, [2.02, 2.0] * 20, gains.ENOUGH),
        ([1.0, 3.0] * 20, [3.0, 1.0] * 20, gains.UNCLEAR),
        ([2.0] * 5, [1.0] * 5, gains.UNCLEAR),
    ],
)  # fmt: skip
def test_what_is_said_follows_from_the_interval(first, second, said) -> None:
    before, after = ([[at, 10 * loss, 10, at] for at, loss in enumerate(losses)] for losses in (first, second))
    found = gains.gain((0.5, before), (1.0, after))
    assert gains.verdict(found) == said
    told = more_data.reading({"gains": [found.as_json()], "verdict": said})
    assert told.title and told.detail.startswith("From 50 % to 100 % of the rows")


def test_the_change_is_that_of_the_mean_over_answer_tokens() -> None:
    before = [[0, 30.0, 10, 0], [1, 10.0, 10, 1], *([at, 20.0, 10, at] for at in range(2, 20))]
    after = [[at, nats / 2, tokens, group] for at, nats, tokens, group in before]
    found = gains.gain((0.25, before), (0.5, after))
    assert found.change == pytest.approx(-0.5) == found.low and found.rows == 20


@pytest.mark.once
def test_a_run_of_a_study_is_trained_alone_leaves_no_weights_and_stands_in_no_list(
    begin, written, workspace, monkeypatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    study = begin(version=written)
    tasks.run_job(runs_of(study)[0].id)
    run, following = runs_of(study)
    assert (run.state, run.error, run.plan["train_rows"], following.state) == ("succeeded", {}, 10, "queued")
    assert json.loads((run.folder / "spec.json").read_text())["data"]["train_share"] == 0.25
    nats, tokens = (sum(each[column] for each in losses(run)) for column in (1, 2))
    assert nats / tokens == pytest.approx(run.plan["finished"]["best_loss"], rel=0.02)
    assert not Evaluation.objects.exists() and not LanguageModel.objects.filter(kind="fine_tune").exists()
    assert not Checkpoint.objects.exists() and not (run.folder / "model").exists()
    assert not (run.folder / "checkpoints").exists() and not jobs_of(workspace.id).exists()


def test_a_failed_run_fails_the_study_with_its_sentence_and_both_go_on(begin, as_tom) -> None:
    study = begin()
    end(runs_of(study)[0], state="failed")
    services.continue_study(study.id)
    found = fresh(study)
    assert found.state == "failed"
    assert found.error["message"] == "The run on 25 % of the rows failed: The disk is full."
    resumed = services.resume_study(as_tom, study=found)
    (run,) = runs_of(study)
    assert (resumed.state, resumed.error, run.state) == ("running", {}, "queued")
    with pytest.raises(Conflict):
        services.resume_study(as_tom, study=resumed)


def test_a_run_whose_losses_were_not_measured_is_said_to_be(begin) -> None:
    study = begin()
    for _ in range(3):
        run = runs_of(study)[-1]
        services.succeed(services.claim_job(run.id, holder="w"))
        services.continue_study(study.id)
    assert fresh(study).error["code"] == "not_measured"


def test_cancelling_a_study_cancels_its_run_and_begins_no_other(begin, as_tom) -> None:
    study = begin()
    held = services.claim_job(runs_of(study)[0].id, holder="w")
    assert services.cancel_study(as_tom, study=study).state == "cancelled"
    assert not services.beat(held) and services.stop_job(held) == "cancelled"
    services.continue_study(study.id)
    services.requeue_stale()
    assert [run.state for run in runs_of(study)] == ["cancelled"]
    with pytest.raises(Conflict):
        services.cancel_study(as_tom, study=fresh(study))


def test_a_study_that_nobody_carries_on_is_carried_on_by_the_reconciler(begin) -> None:
    study = begin()
    end(runs_of(study)[0])
    assert services.requeue_stale() >= 1
    assert [run.state for run in runs_of(study)] == ["succeeded", "queued"]


def test_a_paused_run_holds_its_study_up(begin) -> None:
    study = begin()
    FineTuningJob.objects.filter(study=study).update(state=JobState.PAUSED)
    services.requeue_stale()
    assert len(runs_of(study)) == 1


def test_data_that_cannot_tell_runs_apart_is_refused(begin, as_bob, dataset, file, finish, version, base) -> None:
    from datasets_app.services import create_version

    few = finish(create_version(as_bob, dataset=dataset), validation=5)
    with pytest.raises(Conflict, match="has 5 validation rows, too few to tell runs apart"):
        begin(version=few)
    with pytest.raises(Conflict, match="is queued"):
        begin(version=create_version(as_bob, dataset=dataset))
    with pytest.raises(Invalid):
        begin(hyperparameters={"n_epochs": 0})
    assert not Study.objects.exists()


def test_who_may_not_train_and_who_is_a_stranger(begin, as_bob, as_charlie, workspace, version, base, make_job) -> None:
    study = begin()
    for actor in (as_bob, as_charlie):
        for act in (services.cancel_study, services.resume_study):
            with pytest.raises(NotAllowed):
                act(actor, study=study)
        with pytest.raises(NotAllowed):
            services.create_learning_curve(actor, workspace_id=workspace.id, version=version, base_model=base)
        with pytest.raises(NotAllowed):
            services.create_learning_curve_of(actor, job=make_job())
    with pytest.raises(NotFound):
        services.create_learning_curve(
            as_charlie, workspace_id=as_charlie.workspace_id, version=version, base_model=base
        )
    with pytest.raises(NotFound):
        study_of(as_charlie.workspace_id, study.id)
