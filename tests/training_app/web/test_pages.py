"""Fine-tunes and models in the browser: the list before a start, live curves, verdicts, release."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gptstudio.accounts import services as people
from gptstudio.review.selectors import item_about
from gptstudio.review.services import decide
from tests.worlds import BASE, finish_job, make_dataset, make_job, make_version
from training_app import services
from training_app.engine.spec import parse_train
from training_app.models import BaseModelImport, Evaluation, FineTuningJob
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


def test_an_editor_sees_a_run_but_no_buttons(at_bob, job) -> None:
    page = at_bob.get(f"/fine-tunes/{job.id}/").content.decode()
    assert job.name in page and f"/fine-tunes/{job.id}/cancel" not in page
    assert at_bob.post(f"/fine-tunes/{job.id}/cancel").status_code == 403


def test_the_verdict_says_so_what_before_the_numbers(at_alice, job, model) -> None:
    page = at_alice.get(f"/fine-tunes/{job.id}/verdict").content.decode()
    sentence, table = page.index("It answers better than the base model."), page.index("<table")
    assert sentence < table and "perplexity from 38.2 to 4.1" in page
    assert "There." in at_alice.get(f"/fine-tunes/{job.id}/samples").content.decode()
    assert "Repeats planted secrets" in at_alice.get(f"/fine-tunes/{job.id}/safety").content.decode()


@pytest.mark.parametrize(
    ("tuned", "tone"),
    [({"perplexity": 4.0, "rougeL": 0.3, "bleu": 9.0}, "good"), ({**BASE, "perplexity": 10.0}, "warn"), (BASE, "bad")],
)
def test_a_verdict_is_as_good_as_its_scores(tuned, tone) -> None:
    assert verdict(Evaluation(rows=10, base_scores=BASE, tuned_scores=tuned)).tone == tone


def test_a_lower_perplexity_is_a_gain() -> None:
    evaluation = Evaluation(rows=10, base_scores=BASE, tuned_scores={**BASE, "perplexity": 4.2})
    found = {score.key: score for score in scores(evaluation)}
    assert found["perplexity"].is_better and found["perplexity"].difference == "−34"


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
    with django_assert_num_queries(6):
        at_alice.get("/fine-tunes/")
    with django_assert_num_queries(8):
        at_alice.get("/models/")
    for number in range(5):
        job = make_job(as_alice, version=version, base=starter, name=f"run {number}")
        finish_job(job, folder=tmp_path / f"made-{number}")
    with django_assert_num_queries(6):
        at_alice.get("/fine-tunes/")
    with django_assert_num_queries(8):
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
