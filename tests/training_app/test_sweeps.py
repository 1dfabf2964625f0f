"""A search for settings: one trial after another from what the ended ones measured; nothing of it is kept elsewhere."""

from __future__ import annotations

import pytest

from gptstudio.core.errors import Invalid, NotAllowed, NotFound
from training_app import services
from training_app.models import FineTuningJob, JobEvent, Study
from training_app.selectors.studies import losses_of, runs_of, stopped_behind
from training_app.services.following import tried
from training_app.web import sweeps

SPACE = {"learning_rate": {"low": 1e-4, "high": 1e-2}, "n_epochs": {"low": 1, "high": 4}}


def fresh(study) -> Study:
    return Study.objects.get(id=study.id)


@pytest.fixture(autouse=True)
def slots(settings) -> None:
    settings.TRAINING_SLOTS, settings.TRAINING_SLOTS_A_WORKSPACE = 4, 0


@pytest.fixture
def begin(as_tom, workspace, base, version):
    """A sweep of six trials, unless told otherwise."""

    def make(**options):
        options = {"version": version, "base_model": base, "space": SPACE, "length": 6, "seed": 5, **options}
        return services.create_sweep(as_tom, workspace_id=workspace.id, **options)

    return make


def look(held, *losses: float, first: int = 1, steps: int = 4) -> None:
    """The engine's events of its plan of so many steps and of looks at the validation rows, and nothing else."""
    plan = {
        "attempt": held.attempt,
        "seq": 1,
        "kind": "plan",
        "at": "2026-01-01T00:00:00+00:00",
        "data": {"steps": steps},
    }
    events = [
        plan,
        *(
        {"attempt": held.attempt, "seq": 100 + step, "kind": "evaluation", "at": "2026-01-01T00:00:00+00:00",
         "data": {"step": step, "epoch": 1.0, "loss": loss}}
        for step, loss in enumerate(losses, start=first)
        ),
    ]  # fmt: skip
    assert services.record_events(held, phase="train", events=events, offset=1)


def end(study, *losses: float) -> FineTuningJob:
    """The newest trial has looked, and is over."""
    held = services.claim_job(runs_of(study)[-1].id, holder="w")
    look(held, *losses)
    assert services.succeed(held)
    services.continue_study(study.id)
    return held


def fail(study, code: str = "no_disk") -> None:
    held = services.claim_job(runs_of(study)[-1].id, holder="w")
    services.fail_job(held, code=code, message="It went wrong.", fix="Mend it.")
    services.continue_study(study.id)


def shown(study) -> list[sweeps.Line]:
    runs = runs_of(study)
    return sweeps.lines(study, runs, looks=losses_of(runs), behind=stopped_behind(study))


def test_a_search_begins_with_the_run_as_it_was_and_ends_with_the_best(begin) -> None:
    study = begin(name="Refunds", length=3, hyperparameters={"learning_rate": 0.002, "weight_decay": 0.03})
    assert study.requested == {"weight_decay": 0.03}
    for losses in ([2.0, 1.8], [1.9, 1.5], [2.5, 2.4]):
        end(study, *losses)
    found, runs = fresh(study), runs_of(study)
    assert (found.state, len(runs)) == ("succeeded", 3)
    assert runs[0].requested == {"weight_decay": 0.03, "learning_rate": 0.002, "n_epochs": 3}
    assert runs[1].requested != runs[2].requested and all(run.requested["weight_decay"] == 0.03 for run in runs)
    assert [run.name for run in runs] == [f"Refunds, trial {place}" for place in (1, 2, 3)]
    lines = shown(study)
    assert [(line.loss, line.is_best) for line in lines] == [(1.8, False), (1.5, True), (2.4, False)]
    said = sweeps.reading(found, lines)
    assert said.title == "Best: trial 2, with a validation loss of 1.5."
    assert said.detail.startswith("That is 16.7 % less than with the settings that it began with.")


def test_the_same_past_gives_the_same_trials_after_a_restart(begin) -> None:
    first, second = begin(), begin()
    for loss in (2.0, 1.8, 2.2):
        end(first, loss)
    for loss in (2.0, 1.8, 2.2):
        held = services.claim_job(runs_of(second)[-1].id, holder="w")
        look(held, loss)
        services.succeed(held)  # and then the worker is gone
        services.requeue_stale()
    asked = [[run.requested for run in runs_of(study)] for study in (first, second)]
    assert asked[0] == asked[1] and len(asked[0]) == 4


def test_one_trial_is_under_way_at_a_time_however_often_it_is_asked(begin) -> None:
    study = begin()
    for _ in range(3):
        services.continue_study(study.id)
    services.requeue_stale()
    assert [run.state for run in runs_of(study)] == ["queued"]


def test_a_hopeless_trial_is_stopped_early_and_leaves_its_looks_to_the_sampler(begin) -> None:
    study = begin()
    for _ in range(3):
        end(study, 3.0, 2.0, 1.5, 1.2)
    held = services.claim_job(runs_of(study)[-1].id, holder="w")
    look(held, 3.5, 3.0)
    assert services.beat(held)
    look(held, 2.9, first=3)
    assert not services.beat(held) and services.stop_job(held) == "cancelled"
    messages = list(JobEvent.objects.filter(job=held, phase="").order_by("seq").values_list("message", flat=True))
    assert messages[0].startswith("Stopped early:") and messages[1] == "Cancelled"
    services.continue_study(study.id)
    assert len(runs_of(study)) == 5
    assert [line.is_behind for line in shown(study)] == [False, False, False, True, False]
    (pruned,) = [each for each in tried(fresh(study), runs_of(study)) if each.looks]
    assert (pruned.loss, pruned.looks) == (None, [(0.25, 3.5), (0.5, 3.0), (0.75, 2.9)])


def test_a_longer_trial_is_not_held_against_what_shorter_ones_had_later(begin) -> None:
    study = begin()
    for _ in range(3):
        end(study, 3.0, 2.0, 1.5, 1.2)
    held = services.claim_job(runs_of(study)[-1].id, holder="w")
    look(held, 3.5, 3.2, 3.1, 2.9, steps=16)
    assert services.beat(held)
    look(held, 2.8, 2.7, 2.6, 2.5, first=5, steps=16)
    assert not services.beat(held)


def test_an_ordinary_run_is_never_stopped_for_what_others_did(make_job, begin) -> None:
    study = begin()
    for _ in range(3):
        end(study, 3.0, 2.0, 1.5)
    held = services.claim_job(make_job().id, holder="w")
    look(held, 9.0, 9.0, 9.0, 9.0)
    assert services.beat(held)


def test_a_failed_trial_is_passed_over_and_three_in_a_row_end_the_search(begin, as_tom) -> None:
    study = begin()
    end(study, 2.0)
    fail(study)
    end(study, 1.9)
    for _ in range(3):
        fail(study)
    found = fresh(study)
    assert (found.state, found.error["code"]) == ("failed", "runs_failed")
    assert found.error["message"] == "3 trials in a row failed. The last one: It went wrong."
    services.resume_study(as_tom, study=found)
    end(study, 1.0)
    assert fresh(study).state == "succeeded" and shown(study)[-1].is_best


def test_trials_that_diverge_are_the_settings_fault_and_end_nothing(begin) -> None:
    study = begin(length=5)
    for _ in range(4):
        fail(study, code=services.NOT_FINITE)
    assert (fresh(study).state, len(runs_of(study))) == ("running", 5)
    fail(study, code=services.NOT_FINITE)
    assert fresh(study).error["code"] == "nothing_tried"


def test_a_trial_that_a_person_cancels_is_passed_over(begin, as_tom) -> None:
    study = begin()
    services.cancel_job(as_tom, job=runs_of(study)[0])
    services.requeue_stale()
    assert [run.state for run in runs_of(study)] == ["cancelled", "queued"]


def test_a_search_ends_when_every_combination_was_tried(begin) -> None:
    study = begin(space={"scheduler": {"choices": ["cosine", "linear"]}}, length=9)
    for _ in range(2):
        end(study, 2.0)
    assert (fresh(study).state, len(runs_of(study))) == ("succeeded", 2)


def test_cancelling_a_search_cancels_its_trial(begin, as_tom) -> None:
    study = begin()
    end(study, 2.0)
    services.cancel_study(as_tom, study=study)
    services.requeue_stale()
    assert [run.state for run in runs_of(study)] == ["succeeded", "cancelled"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"length": 1}, "1 trials are no search"),
        ({"length": 101}, "101 trials are no search"),
        ({"space": {}}, "nothing to search over"),
        ({"space": {"optimizer": {"choices": ["adamw", "adamw_8bit"]}}}, "works on a GPU only"),
        ({"space": {"lora_rank": {}}}, "when all weights learn"),
        ({"hyperparameters": {"n_epochs": 0}}, "n_epochs is 0"),
    ],
)
def test_a_search_that_cannot_be_is_refused(begin, options, sentence) -> None:
    with pytest.raises(Invalid, match=sentence):
        begin(**options)
    assert not Study.objects.exists() and not FineTuningJob.objects.exists()


def test_who_may_not_train_and_who_is_a_stranger_begin_none(as_bob, as_charlie, workspace, version, base) -> None:
    run = {"version": version, "base_model": base, "space": SPACE}
    for actor in (as_bob, as_charlie):
        with pytest.raises(NotAllowed):
            services.create_sweep(actor, workspace_id=workspace.id, **run)
    with pytest.raises(NotFound):
        services.create_sweep(as_charlie, workspace_id=as_charlie.workspace_id, **run)


def test_data_that_becomes_unfit_meanwhile_fails_the_search_with_its_sentence(begin, version) -> None:
    study = begin()
    held = services.claim_job(runs_of(study)[-1].id, holder="w")
    look(held, 2.0)
    services.succeed(held)
    type(version).objects.filter(id=version.id).update(state="erased")
    services.continue_study(study.id)
    found = fresh(study)
    assert (found.state, found.error["code"]) == ("failed", "preflight") and "is erased" in found.error["message"]
