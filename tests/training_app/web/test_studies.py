"""Studies in the browser: begun from a fine-tune or the form, looked at while they run, cancelled."""

from __future__ import annotations

import pytest

from tests.worlds import finish_job, make_dataset, make_job, make_study, make_version
from training_app import services
from training_app.models import FineTuningJob, MetricPoint, Study
from training_app.selectors.studies import runs_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(as_alice, studio_home):
    return make_version(as_alice, dataset=make_dataset(as_alice)[0])


@pytest.fixture
def job(as_alice, version, starter, tmp_path):
    made = make_job(as_alice, version=version, base=starter)
    finish_job(made, folder=tmp_path / "model")
    return FineTuningJob.objects.get(id=made.id)


def text(answer) -> str:
    assert answer.status_code in (200, 400), answer.status_code
    return answer.content.decode()


def test_a_finished_fine_tune_leads_to_whether_more_data_would_help(at_alice, job) -> None:
    assert "Would more data help?" in text(at_alice.get(f"/fine-tunes/{job.id}/"))
    answer = at_alice.post(f"/fine-tunes/{job.id}/more-data")
    study = Study.objects.get()
    assert answer["Location"] == f"/fine-tunes/studies/{study.id}/"
    page = text(at_alice.get(answer["Location"]))
    assert "Trains on a quarter, on half and on all of the rows." in page and "comes next" in page
    (run,) = runs_of(study)
    child = text(at_alice.get(f"/fine-tunes/{run.id}/"))
    assert "A run of the study" in child and "on 25 % of the training rows" in child and "Verdict</a>" not in child
    assert f'value="{run.id}" selected' in text(at_alice.get(f"/fine-tunes/compare?run={run.id}"))
    assert run.name not in text(at_alice.get("/fine-tunes/")) and "0 of 3" in text(at_alice.get("/fine-tunes/studies/"))


def test_the_live_part_is_quiet_until_something_changes_and_reloads_at_the_end(at_alice, as_alice, job) -> None:
    at_alice.post(f"/fine-tunes/{job.id}/more-data")
    study = Study.objects.get()
    page = f"/fine-tunes/studies/{study.id}/"
    mark = text(at_alice.get(page)).split("live?mark=")[1].split('"')[0]
    assert at_alice.get(f"{page}live?mark={mark}").status_code == 204
    services.claim_job(runs_of(study)[0].id, holder="w")
    assert "Running" in text(at_alice.get(f"{page}live?mark={mark}"))
    answer = at_alice.post(f"{page}cancel", follow=True)
    assert "No further run begins." in text(answer) and "Cancelled" in text(answer)
    assert at_alice.get(f"{page}live?mark={mark}")["HX-Refresh"] == "true"


def test_a_study_that_is_done_says_so_in_words_a_chart_and_a_table(at_alice, as_alice, job) -> None:
    study = make_study(as_alice, job=job)
    page = text(at_alice.get(f"/fine-tunes/studies/{study.id}/"))
    assert "More rows would probably help." in page
    assert "From 50 % to 100 % of the rows the loss on the validation rows fell by 8 % (95 % between 5 and 11)." in page
    assert 'aria-label="Validation loss falls from 1.75 to 1."' in page and "the fine-tune itself" in page
    assert "−8 %" in page and "−11 to −5" in page


def test_a_failed_study_says_why_and_goes_on(at_alice, job) -> None:
    at_alice.post(f"/fine-tunes/{job.id}/more-data")
    study = Study.objects.get()
    services.fail_job(services.claim_job(runs_of(study)[0].id, holder="w"), code="x", message="The disk is full.")
    services.continue_study(study.id)
    page = f"/fine-tunes/studies/{study.id}/"
    assert "of the rows failed: The disk is full." in text(at_alice.get(page))
    assert "It goes on where it stood" in text(at_alice.post(f"{page}resume", follow=True))
    assert Study.objects.get().state == "running"


def test_a_run_that_is_set_up_is_asked_about_without_being_started(at_alice, version, starter) -> None:
    form = {"version": version.id, "base_model": starter.id, "preset": "quick", "method": "full", "seed": "5"}
    page = text(at_alice.get("/fine-tunes/preflight", form))
    assert 'formaction="/fine-tunes/more-data"' in page
    answer = at_alice.post("/fine-tunes/more-data", {**form, "n_epochs": "2", "name": "Refunds"})
    study = Study.objects.get()
    assert answer["Location"] == f"/fine-tunes/studies/{study.id}/"
    assert (study.name, study.seed, study.requested) == ("Refunds", 5, {"n_epochs": 2.0, "seed": 5})
    assert study.length == 3


def test_what_cannot_be_is_said_on_the_form(at_alice, version, starter) -> None:
    form = {"version": version.id, "base_model": starter.id, "preset": "quick", "method": "full"}
    pairs = at_alice.post("/fine-tunes/more-data", {**form, "objective": "dpo"}, follow=True)
    assert "has no pairs of answers" in text(pairs)
    odd = at_alice.post("/fine-tunes/more-data", {**form, "n_epochs": "0"}, follow=True)
    assert "a field of the form cannot be as it is" in text(odd)
    assert not Study.objects.exists()


def test_an_editor_sees_studies_and_begins_none(at_bob, as_alice, job) -> None:
    study = make_study(as_alice, job=job)
    assert "Refunds" in text(at_bob.get("/fine-tunes/studies/"))
    assert "Find out</button>" not in text(at_bob.get(f"/fine-tunes/{job.id}/"))
    for address in (
        f"/fine-tunes/{job.id}/more-data",
        f"/fine-tunes/studies/{study.id}/cancel",
        "/fine-tunes/more-data",
    ):
        assert at_bob.post(address).status_code == 403


def test_no_study_yet_says_what_one_is_for(at_alice) -> None:
    page = text(at_alice.get("/fine-tunes/studies/"))
    assert "No study yet" in page and "before you collect more rows" in page


def sweep(at_alice, form: dict[str, str], **more: str) -> Study:
    ranges = {"try_learning_rate": "on", "low_learning_rate": "0.0001", "high_learning_rate": "0.01"}
    answer = at_alice.post("/fine-tunes/studies/new", {**form, "length": "5", **ranges, **more})
    assert answer.status_code == 302, text(answer)
    return Study.objects.get()


@pytest.fixture
def form(version, starter) -> dict[str, str]:
    return {"version": version.id, "base_model": starter.id, "preset": "quick", "method": "full", "name": "Refunds"}


def test_a_run_that_is_set_up_leads_to_a_search_with_what_was_filled_in(at_alice, form) -> None:
    page = text(at_alice.get("/fine-tunes/preflight", form))
    assert 'formaction="/fine-tunes/search"' in page
    opened = at_alice.post("/fine-tunes/search", {**form, "weight_decay": "0.05"}, follow=True)
    page = text(opened)
    assert 'name="weight_decay" value="0.05"' in page and 'name="low_learning_rate"' in page and "LoRA rank" in page
    study = sweep(at_alice, form, weight_decay="0.05", try_scheduler="on", among_scheduler=["cosine", "linear"])
    assert study.requested == {"weight_decay": 0.05}
    assert study.space == {
        "learning_rate": {"low": 0.0001, "high": 0.01, "log": True},
        "scheduler": {"choices": ["cosine", "linear"]},
    }


def test_a_search_takes_the_settings_of_a_fine_tune(at_alice, job) -> None:
    FineTuningJob.objects.filter(id=job.id).update(requested={"learning_rate": 0.004})
    page = text(at_alice.get(f"/fine-tunes/studies/new?from={job.id}"))
    assert f'Filled in with the settings of <a href="/fine-tunes/{job.id}/">' in page
    assert 'value="0.0004"' in page and 'value="0.04"' in page


def test_a_range_that_cannot_be_is_said_beside_it(at_alice, form) -> None:
    ranges = {"try_learning_rate": "on", "low_learning_rate": "0.1", "high_learning_rate": "0.01"}
    answer = at_alice.post("/fine-tunes/studies/new", {**form, "length": "5", **ranges})
    assert answer.status_code == 400 and "learning_rate from 0.1 to 0.01 is no range" in text(answer)
    nothing = at_alice.post("/fine-tunes/studies/new", {**form, "length": "5"})
    assert "There is nothing to search over." in text(nothing)
    assert "is chosen from words" in text(
        at_alice.post("/fine-tunes/studies/new", {**form, "length": "5", "try_scheduler": "on"})
    )
    assert not Study.objects.exists()


def test_a_search_shows_its_best_trial_and_leads_to_a_fine_tune_with_its_settings(at_alice, form) -> None:
    study = sweep(at_alice, form)
    page = f"/fine-tunes/studies/{study.id}/"
    assert "Trial 1 of 5" in text(at_alice.get(page))
    for losses in ((2.0, 1.8), (1.7, 1.5)):
        run = runs_of(study)[-1]
        held = services.claim_job(run.id, holder="w")
        MetricPoint.objects.bulk_create(
            MetricPoint(job=run, step=step, epoch=1, validation_loss=loss) for step, loss in enumerate(losses, start=1)
        )
        services.succeed(held)
        services.continue_study(study.id)
    _first, second, _third = runs_of(study)
    shown = text(at_alice.get(page))
    assert "Best so far: trial 2, with a validation loss of 1.5." in shown and "That is 16.7 % less" in shown
    assert 'aria-label="Lowest so far falls from 1.8 to 1.5."' in shown and "<title>Trial 1: 1.8</title>" in shown
    assert f"?from={second.id}&amp;n_epochs=2" in shown and "Use the best settings" not in shown
    at_alice.post(f"{page}cancel")
    assert "Use the best settings" in text(at_alice.get(page))
    again = text(at_alice.get(f"/fine-tunes/new?from={second.id}&n_epochs=2"))
    assert f'value="{second.requested["learning_rate"]}"' in again and 'name="n_epochs" value="2"' in again
