"""Fine-tunes and models in the browser: the list before a start, live curves, verdicts, release."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gptstudio.accounts import services as people
from gptstudio.audit.models import AuditEvent
from gptstudio.review.selectors import item_about
from gptstudio.review.services import decide
from tests.worlds import BASE, SPAN, finish_job, make_dataset, make_job, make_version
from training_app import services
from training_app.engine.spec import parse_train
from training_app.models import BaseModelImport, Checkpoint, Evaluation, FineTuningJob
from training_app.runner import train_spec
from training_app.web.verdicts import scores, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(as_alice, studio_home):
    return make_version(as_alice, dataset=make_dataset(as_alice)[0])


@pytest.fixture
def job(as_alice, version, starter):
    return make_job(as_alice, version=version, base=starter)


@pytest.fixture
def model(job, tmp_path):
    return finish_job(job, folder=tmp_path / "made")


def start(version, starter, **changes: str) -> dict[str, str]:
    return {"version": version.id, "base_model": starter.id, "preset": "quick", "method": "lora", **changes}


def test_a_preset_starts_a_fine_tune_with_what_was_filled_in(at_alice, version, starter) -> None:
    form = start(version, starter, name="Refunds", suffix="refunds", n_epochs="2", learning_rate="0.0005")
    answer = at_alice.post("/fine-tunes/new", form)
    job = FineTuningJob.objects.get()
    assert answer["Location"] == f"/fine-tunes/{job.id}/"
    assert job.requested == {"n_epochs": 2, "learning_rate": 0.0005} and job.method == "lora" and job.preset == "quick"
    assert job.state == "queued"


def test_a_bad_setting_is_refused_beside_its_field_and_the_drawer_stands_open(at_alice, version, starter) -> None:
    answer = at_alice.post("/fine-tunes/new", start(version, starter, batch_size="9999", name="Kept"))
    page = answer.content.decode()
    assert answer.status_code == 400 and "less than or equal to 256" in page and 'value="Kept"' in page
    assert '<details class="card" open>' in page


def test_the_list_before_the_start_says_what_is_wrong_and_how_long_it_is(at_alice, version, starter) -> None:
    page = at_alice.get("/fine-tunes/preflight", start(version, starter)).content.decode()
    assert "80 rows to learn from" in page and "80 rows, 8 at a time, 1 pass: about 10 steps." in page


def test_the_list_before_the_start_names_a_setting_that_cannot_be(at_alice, version, starter) -> None:
    page = at_alice.get("/fine-tunes/preflight", start(version, starter, n_epochs="-1")).content.decode()
    assert "Passes over the data" in page and 'role="alert"' in page


def test_without_data_the_page_leads_to_the_data_sets(at_alice, starter) -> None:
    page = at_alice.get("/fine-tunes/new").content.decode()
    assert "There is no data to learn from yet" in page and 'href="/datasets/"' in page


def test_a_running_job_shows_two_lines_and_its_part_stays_quiet(at_alice, job) -> None:
    page = at_alice.get(f"/fine-tunes/{job.id}/").content.decode()
    assert "Training loss falls from 3 to 2" in page and "step 20 of 30" in page
    mark = re.search(r"/live\?mark=(\w+)", page)
    assert mark is not None
    assert at_alice.get(f"/fine-tunes/{job.id}/live?mark={mark[1]}").status_code == 204


def test_when_the_run_is_over_the_page_is_loaded_again(at_alice, job, model) -> None:
    answer = at_alice.get(f"/fine-tunes/{job.id}/live?mark=older")
    assert answer.status_code == 204 and answer.headers["HX-Refresh"] == "true"


def test_cancel_says_what_happens_and_is_not_offered_twice(at_alice, job) -> None:
    page = at_alice.post(f"/fine-tunes/{job.id}/cancel", follow=True).content.decode()
    assert "It stops after saving a checkpoint" in page and f"/fine-tunes/{job.id}/cancel" not in page
    job.refresh_from_db()
    assert job.wanted == "cancel"


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("cancel", "It was waiting for a worker and will not be taken up."),
        ("pause", "Now it waits until you resume it."),
    ],
)
def test_of_a_run_that_waits_no_checkpoint_is_promised(at_alice, job, act, said) -> None:
    type(job).objects.filter(id=job.id).update(state="queued")
    page = at_alice.post(f"/fine-tunes/{job.id}/{act}", follow=True).content.decode()
    assert said in page and "checkpoint" not in page


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        ("evaluate", "not yet compared with the base model"),
        ("safety", "not yet checked"),
        ("release", "stays released"),
    ],
)
def test_cancel_says_what_becomes_of_the_model_once_there_is_one(at_alice, job, phase, said) -> None:
    FineTuningJob.objects.filter(id=job.id).update(phase=phase)
    assert said in at_alice.post(f"/fine-tunes/{job.id}/cancel", follow=True).content.decode()
    FineTuningJob.objects.filter(id=job.id).update(state="cancelled")
    assert ("Judge the model" in at_alice.get(f"/fine-tunes/{job.id}/").content.decode()) is (phase != "release")


def test_a_model_whose_fine_tune_was_cancelled_before_its_verdict_leads_to_it(at_alice, job, model) -> None:
    assert "Its verdict is not complete" not in at_alice.get(f"/models/{model.id}/").content.decode()
    FineTuningJob.objects.filter(id=job.id).update(state="cancelled", phase="safety")
    page = at_alice.get(f"/models/{model.id}/").content.decode()
    assert "Its verdict is not complete" in page and f'href="/fine-tunes/{job.id}/"' in page


def test_a_paused_run_can_be_resumed(at_alice, as_alice, version, starter) -> None:
    job = make_job(as_alice, version=version, base=starter, is_started=False)
    at_alice.post(f"/fine-tunes/{job.id}/pause")
    job.refresh_from_db()
    assert job.state == "paused"
    at_alice.post(f"/fine-tunes/{job.id}/resume")
    job.refresh_from_db()
    assert job.state == "queued"


def test_a_failed_run_says_what_to_do(at_alice, job) -> None:
    services.fail_job(job, code="out_of_memory", message="There was not enough memory.", fix="Use LoRA.")
    page = at_alice.get(f"/fine-tunes/{job.id}/").content.decode()
    assert "There was not enough memory." in page and "Use LoRA." in page and "Try again" in page


def test_a_failed_run_claims_a_checkpoint_only_where_one_is(at_alice, job) -> None:
    def page() -> str:
        return at_alice.get(f"/fine-tunes/{job.id}/").content.decode()

    services.fail_job(job, code="invalid", message="The data is gone.")
    assert "No checkpoint was made yet, so it would begin again." in page() and "is kept as a checkpoint" not in page()
    again = at_alice.post(f"/fine-tunes/{job.id}/resume", follow=True).content.decode()
    assert "No checkpoint was made yet: it begins again as soon as a worker is free." in again
    FineTuningJob.objects.filter(id=job.id).update(state="failed")
    Checkpoint.objects.create(job=job, step=1200, path="checkpoints/checkpoint-1200")
    assert "What was learnt up to step 1,200 is kept as a checkpoint." in page()
    again = at_alice.post(f"/fine-tunes/{job.id}/resume", follow=True).content.decode()
    assert "It goes on from its last checkpoint as soon as a worker is free." in again


def test_an_editor_sees_a_run_but_no_buttons(at_bob, job) -> None:
    page = at_bob.get(f"/fine-tunes/{job.id}/").content.decode()
    assert job.name in page and f"/fine-tunes/{job.id}/cancel" not in page
    assert at_bob.post(f"/fine-tunes/{job.id}/cancel").status_code == 403


def test_the_verdict_says_so_what_before_the_numbers(at_alice, job, model) -> None:
    page = at_alice.get(f"/fine-tunes/{job.id}/verdict").content.decode()
    said = (
        "Better than the base model on your test rows by 21 points of ROUGE-L, with 95 % confidence between 17 and 25."
    )
    assert page.index(said) < page.index("<table") and "ROUGE-L went from 0.13 to 0.34" in page
    cut = (
        "0 of 10 answers of this model and 10 of the base model were cut at 64 tokens, before they had come to an end."
    )
    assert cut in page and "10 rows, greedy, up to 64 tokens" in page and "Cut answers" in page
    assert "−1 to +20" in page and "1 of 10 answers of this model are empty" in page
    assert "By label" in page and "3 to 4 words" in page and "Taken for one another" in page
    assert "Repeats planted secrets" in at_alice.get(f"/fine-tunes/{job.id}/safety").content.decode()


def test_samples_are_shut_until_somebody_opens_them_and_the_log_says_who(at_alice, alice, job, model) -> None:
    shut = at_alice.get(f"/fine-tunes/{job.id}/samples").content.decode()
    assert "Test rows are kept shut" in shut and "Where is parcel" not in shut
    opened = at_alice.post(f"/fine-tunes/{job.id}/samples/open-test", follow=True).content.decode()
    assert "Where is parcel 0?" in opened and "No 1." in opened and "Lost most" in opened
    assert opened.count("cut at 64 tokens") == opened.count("<p>No ") == 4, "the base model's alone"
    line = AuditEvent.objects.get(action="version.test_rows_opened")
    assert line.subject_id == job.version_id and line.actor_id == alice.id
    model.evaluation.answers.unlink()
    assert "The answers are gone" in at_alice.get(f"/fine-tunes/{job.id}/samples").content.decode()


def evaluated(said: str, low: float, high: float, **more) -> Evaluation:
    intervals = {"rougeL": {**SPAN, "difference": (low + high) / 2, "low": low, "high": high, "said": said}, **more}
    result = {"headline": "rougeL", "intervals": intervals}
    return Evaluation(rows=10, base_scores=BASE, tuned_scores=BASE, result=result)


@pytest.mark.parametrize(
    ("said", "low", "high", "title", "tone"),
    [
        ("better", 0.02, 0.06, "Better than the base model on your test rows by 4 points of ROUGE-L, with 95 % "
         "confidence between 2 and 6.", "good"),
        ("worse", -0.5, -0.1, "Worse than the base model on your test rows by 30 points of ROUGE-L, with 95 % "
         "confidence between 10 and 50.", "bad"),
        ("no_difference", -0.02, 0.06, "No measurable difference from the base model on your test rows.", "warn"),
    ],
    ids=["better", "worse", "no difference"],
)  # fmt: skip
def test_a_verdict_is_what_its_interval_says(said, low, high, title, tone) -> None:
    found = verdict(evaluated(said, low, high))
    assert (found.title, found.tone) == (title, tone)
    assert ("between −2 and +6 points" in found.detail) == (said == "no_difference")


def test_a_verdict_on_few_rows_that_differ_says_so() -> None:
    few = {**SPAN, "low": 0.0, "high": 0.1, "differing": 5, "groups": 10, "too_few": True}
    found = verdict(evaluated("no_difference", 0.0, 0.1, rougeL={**few, "said": "no_difference"}))
    assert "Only 5 rows differ, too few to tell" in found.detail and "may lie" not in found.detail
    alike = {**few, "differing": 8, "groups": 4, "said": "no_difference"}
    assert "belong to few groups" in verdict(evaluated("no_difference", 0.0, 0.1, rougeL=alike)).detail


def test_a_verdict_names_perplexity_where_it_says_the_contrary() -> None:
    contrary = evaluated("better", 0.02, 0.06, perplexity={**SPAN, "said": "worse"})
    assert "By perplexity alone it is worse." in verdict(contrary).detail
    assert "By perplexity" not in verdict(evaluated("better", 0.02, 0.06, perplexity={**SPAN, "said": "better"})).detail


def test_an_evaluation_from_before_intervals_says_that_it_has_none() -> None:
    old = Evaluation(rows=10, base_scores=BASE, tuned_scores={**BASE, "perplexity": 4.2}, result={"version": 1})
    assert verdict(old).said == "" and "without an interval" in verdict(old).title
    found = {score.key: score for score in scores(old)}
    assert found["perplexity"].difference == "−34" and found["perplexity"].between == "–"


def test_asking_for_release_puts_the_model_into_the_queue(at_alice, model) -> None:
    page = at_alice.post(f"/models/{model.id}/ask", follow=True).content.decode()
    assert "It waits for a reviewer." in page
    item = item_about(model.id, kind="model")
    assert item is not None and item.state == "pending"


def test_where_one_person_decides_the_maker_releases_with_a_reason(at_alice, as_alice, workspace, model) -> None:
    people.set_release_policy(as_alice, workspace=workspace, policy="self")
    at_alice.post(f"/models/{model.id}/ask")
    refused = at_alice.post(f"/models/{model.id}/release", {"reason": ""})
    assert refused.status_code == 400 and "This field is required" in refused.content.decode()
    page = at_alice.post(f"/models/{model.id}/release", {"reason": "Read the samples."}, follow=True).content.decode()
    assert "released" in page and "Read the samples." in page


def test_under_two_persons_the_maker_cannot_release_from_the_page(at_alice, model) -> None:
    at_alice.post(f"/models/{model.id}/ask")
    assert f"/models/{model.id}/release" not in at_alice.get(f"/models/{model.id}/").content.decode()
    answer = at_alice.post(f"/models/{model.id}/release", {"reason": "I like it."})
    assert answer.status_code == 403 and "wants a second person" in answer.content.decode()
    item = item_about(model.id, kind="model")
    assert item is not None and item.state == "pending"


def test_a_released_model_is_offered_for_deployment_and_can_be_taken_back(at_alice, as_alice, workspace, model) -> None:
    people.set_release_policy(as_alice, workspace=workspace, policy="self")
    item = services.request_release(as_alice, model=model)
    decide(as_alice, item=item, verdict="approved", reason="Fine.")
    assert f"/deployments/new?model={model.id}" in at_alice.get(f"/models/{model.id}/").content.decode()
    page = at_alice.post(f"/models/{model.id}/withdraw", {"reason": "It was rude."}, follow=True).content.decode()
    assert "It was rude." in page and f"/deployments/new?model={model.id}" not in page


def test_a_folder_outside_of_import_is_refused_in_words(at_alice, starter) -> None:
    answer = at_alice.post("/models/register", {"name": "mine", "path": "../secrets", "licence": ""})
    assert answer.status_code == 400 and "There is no folder" in answer.content.decode()


def test_a_model_is_asked_for_from_the_hub_and_its_progress_is_on_the_page(at_alice, starter, settings) -> None:
    settings.HUB_OFFLINE = False
    given = {"name": "mine", "hub_id": "owner/tiny", "path": "", "revision": "", "licence": ""}
    assert at_alice.post("/models/register", given)["Location"] == "/models/"
    BaseModelImport.objects.update(state="downloading", progress={"done": 1048576, "total": 4194304})
    text = at_alice.get("/models/").content.decode().replace("\xa0", " ")
    assert "owner/tiny" in text and "Downloading" in text and "1.0 MB of 4.0 MB" in text
    assert at_alice.get("/models/imports").status_code == 200
    BaseModelImport.objects.update(state="failed", error={"message": "The hub cannot be reached.", "fix": "Connect."})
    assert "The hub cannot be reached. Connect." in at_alice.get("/models/").content.decode()
    assert at_alice.get("/models/imports")["HX-Refresh"] == "true"


@pytest.mark.parametrize("given", [{}, {"path": "tiny", "hub_id": "owner/tiny"}])
def test_a_base_model_comes_from_a_folder_or_from_the_hub(at_alice, starter, given) -> None:
    answer = at_alice.post("/models/register", {"name": "mine", **given})
    assert answer.status_code == 400 and "one of the two" in answer.content.decode()


def test_the_lists_ask_the_same_few_queries_for_one_and_for_many(
    at_alice, as_alice, version, starter, model, tmp_path, django_assert_num_queries
) -> None:
    with django_assert_num_queries(7):
        at_alice.get("/fine-tunes/")
    with django_assert_num_queries(9):
        at_alice.get("/models/")
    for number in range(5):
        job = make_job(as_alice, version=version, base=starter, name=f"run {number}")
        finish_job(job, folder=tmp_path / f"made-{number}")
    with django_assert_num_queries(7):
        at_alice.get("/fine-tunes/")
    with django_assert_num_queries(9):
        at_alice.get("/models/")


def test_the_list_can_be_narrowed_by_name_and_state(at_alice, job) -> None:
    assert "Refunds" in at_alice.get("/fine-tunes/?state=running&q=refu").content.decode()
    assert "No fine-tune is like that" in at_alice.get("/fine-tunes/?state=failed").content.decode()


def test_class_weights_are_offered_where_the_data_has_them(at_alice, version, starter) -> None:
    assert (
        "Weigh small classes more"
        not in at_alice.get("/fine-tunes/preflight", start(version, starter)).content.decode()
    )
    refused = at_alice.post("/fine-tunes/new", start(version, starter, class_weights="on"))
    assert "has no class weights" in refused.content.decode()
    version.report["balance"] = {"weights": {"delivery": 0.5, "refund": 2.0}}
    version.save(update_fields=["report"])
    assert "Weigh small classes more" in at_alice.get("/fine-tunes/preflight", start(version, starter)).content.decode()
    at_alice.post("/fine-tunes/new", start(version, starter, class_weights="on"))
    job = FineTuningJob.objects.get()
    spec = train_spec(job)
    assert job.hyperparameters["class_weights"] is True and "class_weights" not in spec["hyperparameters"]
    assert spec["data"]["class_weights"] == {"delivery": 0.5, "refund": 2.0}
    assert parse_train({**spec, "attempt": 1}, Path()).class_weights == {"delivery": 0.5, "refund": 2.0}


def test_a_run_whose_loss_was_no_number_is_offered_a_tenth_of_the_rate(at_alice, job) -> None:
    error = {"code": "loss_not_finite", "message": "The loss stopped being a number at step 9.", "fix": "Go on."}
    FineTuningJob.objects.filter(id=job.id).update(state="failed", error=error)
    Checkpoint.objects.create(job=job, step=8, path="checkpoints/checkpoint-8")
    page = at_alice.get(f"/fine-tunes/{job.id}/").content.decode()
    assert "Go on from step 8 at a tenth of the rate" in page
    before = FineTuningJob.objects.get(id=job.id).hyperparameters["learning_rate"]
    at_alice.post(f"/fine-tunes/{job.id}/resume", {"gentler": "1"})
    found = FineTuningJob.objects.get(id=job.id)
    assert found.state == "queued" and found.hyperparameters["learning_rate"] == pytest.approx(before / 10)


def test_a_run_that_went_on_with_fewer_rows_at_a_time_says_so(at_alice, job) -> None:
    assert "There was not enough memory" not in at_alice.get(f"/fine-tunes/{job.id}/").content.decode()
    settings = job.hyperparameters | {"batch_size": 8, "micro_batch_size": 2}
    FineTuningJob.objects.filter(id=job.id).update(hyperparameters=settings)
    page = at_alice.get(f"/fine-tunes/{job.id}/").content.decode()
    assert "The run went on with 2 rows at a time instead of 8; each step still learns from the same rows." in page


def test_what_only_a_gpu_can_do_is_not_offered_on_a_cpu(at_alice, version, settings) -> None:
    page = at_alice.get("/fine-tunes/new").content.decode()
    assert "QLoRA" not in page and "adamw_8bit" not in page and "adafactor" in page
    settings.TRAINING_DEVICE = "cuda"
    page = at_alice.get("/fine-tunes/new").content.decode()
    assert "QLoRA" in page and "adamw_8bit" in page
