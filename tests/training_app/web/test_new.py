"""The form of a fine-tune: filled in from elsewhere, looked over while it is filled in, measured, mended in one click."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlparse

import pytest

from datasets_app.models import DatasetVersion
from datasets_app.recipes import default_recipe, step
from tests.worlds import finish_job, make_dataset, make_job, make_version
from training_app.models import FineTuningJob, LanguageModel, Measurement

pytestmark = pytest.mark.django_db
TRIED = {
    "start_seconds": 5.0, "step_seconds": 1.0, "evaluation_seconds": 1.0, "sample_seconds": 0.0,
    "checkpoint_seconds": 0.0, "finish_seconds": 1.0, "tokens": 1000, "memory_bytes": 1 << 30, "steps_tried": 10,
    "memory": {"total": 1 << 40, "free": 1 << 40},
}  # fmt: skip

JUDGING = {
    "process_seconds": 4.0, "load_seconds": 1.0, "row_seconds": 0.0, "prompt_seconds": 0.0, "token_seconds": 0.5,
    "label_seconds": 0.0, "answer_tokens": 300, "label_rows": 0,
}  # fmt: skip


@pytest.fixture
def version(as_alice, studio_home):
    return make_version(as_alice, dataset=make_dataset(as_alice)[0])


@pytest.fixture
def filled(version, starter):
    def form(**changes: str) -> dict[str, str]:
        return {"version": version.id, "base_model": starter.id, "preset": "quick", "method": "full", **changes}

    return form


def test_opening_the_list_has_the_rows_looked_at_by_a_worker(at_alice, filled) -> None:
    page = at_alice.get("/fine-tunes/preflight", filled()).content.decode()
    assert 'hx-post="/fine-tunes/measure"' in page and '"inspect"' in page
    assert not Measurement.objects.exists(), "a GET changes nothing"
    page = at_alice.post("/fine-tunes/measure", {**filled(), "what": "inspect"}).content.decode()
    assert Measurement.objects.get().kind == "inspect" and 'hx-trigger="every 2s"' in page


def test_the_part_stays_quiet_until_there_is_something_new(at_alice, filled) -> None:
    page = at_alice.post("/fine-tunes/measure", {**filled(), "what": "inspect"}).content.decode()
    mark = page.split("preflight?mark=")[1].split('"')[0]
    assert at_alice.get("/fine-tunes/preflight", {**filled(), "mark": mark}).status_code == 204
    Measurement.objects.update(state="failed", error={"message": "No room.", "fix": "Make some."})
    answer = at_alice.get("/fine-tunes/preflight", {**filled(), "mark": mark})
    assert answer.status_code == 200 and "They could not be looked at. No room." in answer.content.decode()
    assert "Look again</button>" in answer.content.decode()
    at_alice.post("/fine-tunes/measure", {**filled(), "what": "inspect"})
    assert Measurement.objects.get().state == "queued"


def test_what_was_measured_is_told_before_the_start(at_alice, filled, settings) -> None:
    settings.PRICE_TRAINING_HOUR_MICRO = 3_600_000_000
    at_alice.post("/fine-tunes/measure", {**filled(), "what": "estimate"})
    assert Measurement.objects.get().kind == "estimate"
    Measurement.objects.update(state="ready", result=TRIED)
    page = at_alice.get("/fine-tunes/preflight", filled()).content.decode()
    assert "18 seconds" in page and "1 GB" in page and "Measured by 10 real steps" in page and "Cost" in page
    assert "the safety check come on top" in page
    Measurement.objects.update(result={**TRIED, "judging": JUDGING})
    page = at_alice.get("/fine-tunes/preflight", filled()).content.decode()
    assert "<dt>Judging it</dt><dd><b>9 minutes</b>" in page and "come on top" not in page


def test_what_was_measured_beside_a_fine_tune_can_be_measured_again(at_alice, filled) -> None:
    at_alice.post("/fine-tunes/measure", {**filled(max_steps="7"), "what": "estimate"})
    Measurement.objects.update(state="ready", result={**TRIED, "was_shared": True})
    page = at_alice.get("/fine-tunes/preflight", filled(max_steps="7")).content.decode()
    assert "beside a fine-tune that was running" in page and "Measure again" in page
    assert "7 steps:" in page and "about 7 steps" not in page


def test_every_preset_says_about_how_long_it_takes_before_anything_was_measured(at_alice, filled) -> None:
    part = at_alice.get("/fine-tunes/preflight", filled()).content.decode()
    said = re.findall(r'id="takes-(\w+)" hx-swap-oob="true">about ([^<]+)<', part)
    assert [key for key, _time in said] == ["quick", "balanced", "thorough"]
    assert "·" not in part.split("takes-quick")[1], "training has no price here, so none is shown"
    page = at_alice.get("/fine-tunes/new").content.decode()
    assert all(f'id="takes-{key}"' in page for key, _time in said)


def test_one_measurement_tells_time_and_cost_of_every_preset(at_alice, filled, settings) -> None:
    settings.PRICE_TRAINING_HOUR_MICRO = 3_600_000_000
    at_alice.post("/fine-tunes/measure", {**filled(), "what": "estimate"})
    Measurement.objects.update(state="ready", result=TRIED)
    for preset in ("quick", "balanced"):
        part = at_alice.get("/fine-tunes/preflight", filled(preset=preset)).content.decode()
        said = dict(re.findall(r'id="takes-(\w+)" hx-swap-oob="true">([^<]+)<', part))
        assert said["quick"].startswith("18 seconds · ") and "about" not in said["thorough"]
        assert said["quick"] != said["balanced"] != said["thorough"]


def test_choices_of_the_drawer_are_words(at_alice, filled) -> None:
    page = at_alice.get("/fine-tunes/new").content.decode()
    assert '<option value="cosine_with_min_lr">along a cosine, to a tenth</option>' in page


def test_a_failed_estimate_says_why_and_can_be_tried_again(at_alice, filled) -> None:
    at_alice.post("/fine-tunes/measure", {**filled(), "what": "estimate"})
    Measurement.objects.update(state="failed", error={"message": "There was not enough memory.", "fix": "Use LoRA."})
    page = at_alice.get("/fine-tunes/preflight", filled()).content.decode()
    assert "There was not enough memory." in page and "Measure again" in page


def test_a_version_for_another_model_is_made_in_one_click_and_chosen(at_alice, filled, version) -> None:
    answer = at_alice.post("/fine-tunes/derive", filled(max_length="100", learning_rate="0.001"))
    made = DatasetVersion.objects.exclude(id=version.id).get()
    assert step(made.recipe, "tokens")["options"]["limit"] == 100
    back = parse_qs(urlparse(answer["Location"]).query)
    assert back["version"] == [made.id] and back["learning_rate"] == ["0.001"] and back["preset"] == ["quick"]
    page = at_alice.get(answer["Location"]).content.decode()
    assert f'<option value="{made.id}" selected>' in page and 'value="0.001"' in page
    part = at_alice.get("/fine-tunes/preflight", filled(version=made.id)).content.decode()
    assert "is being made; the run begins once it is ready" in part


def test_a_new_one_from_a_run_has_its_settings(at_alice, as_alice, version, starter) -> None:
    job = make_job(as_alice, version=version, base=starter, is_started=False)
    job.preset, job.method, job.requested = "thorough", "lora", {"learning_rate": 0.0003, "batch_size": 4}
    job.save()
    page = at_alice.get(f"/fine-tunes/new?from={job.id}").content.decode()
    assert f'Filled in with the settings of <a href="/fine-tunes/{job.id}/">' in page
    assert 'value="thorough" checked' in page and 'value="0.0003"' in page
    assert f'href="/fine-tunes/new?from={job.id}"' in at_alice.get(f"/fine-tunes/{job.id}/").content.decode()


def test_a_fine_tune_can_be_taught_more_and_its_page_tells_what_went_on_from_it(
    at_alice, as_alice, version, starter, tmp_path, filled
) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "model.safetensors").write_bytes(b"weights")
    first = finish_job(make_job(as_alice, version=version, base=starter), folder=made)
    page = at_alice.get(f"/models/{first.id}/").content.decode()
    assert f"?base_model={first.id}" in page and "Teach it more" in page and "went on" not in page
    page = at_alice.get(f"/fine-tunes/new?base_model={first.id}").content.decode()
    assert '<optgroup label="Your fine-tunes">' in page and f'<option value="{first.id}" selected>' in page
    answer = at_alice.post("/fine-tunes/new", filled(base_model=first.id, name="Preferring"))
    job = FineTuningJob.objects.get(name="Preferring")
    assert answer.url == f"/fine-tunes/{job.id}/" and job.base_model == first
    second = LanguageModel.objects.create(
        workspace=job.workspace, name="ft:second", title="Preferring", kind="fine_tune", base=first, job=job, digest="x"
    )
    assert f'href="/models/{second.id}/">Preferring</a>' in at_alice.get(f"/models/{first.id}/").content.decode()
    assert f'It went on from <a href="/models/{first.id}/">' in at_alice.get(f"/models/{second.id}/").content.decode()
    assert "going on from" in at_alice.get(f"/fine-tunes/{job.id}/").content.decode()
    page = at_alice.get(f"/fine-tunes/{job.id}/settings").content.decode()
    assert "<dd>Quick look</dd>" in page and "<dd>All weights</dd>" in page and "<td>Learning rate</td>" in page


def test_data_that_needs_a_reviewer_offers_to_ask_one(at_alice, as_alice, filled) -> None:
    recipe = default_recipe()
    step(recipe, "personal_data")["options"]["default"] = "keep"
    kept = make_version(as_alice, dataset=make_dataset(as_alice, name="kept")[0], recipe=recipe)
    part = at_alice.get("/fine-tunes/preflight", filled(version=kept.id)).content.decode()
    assert f'{kept.id}/ask-review"' in part and "disabled" in part


def test_neither_strangers_nor_editors_measure_or_derive(at_bob, charlie, client, filled) -> None:
    for address in ("/fine-tunes/measure", "/fine-tunes/derive"):
        assert at_bob.post(address, filled()).status_code == 403
    client.force_login(charlie)
    for address in ("/fine-tunes/measure", "/fine-tunes/derive"):
        assert client.post(address, filled()).status_code == 404
    assert not Measurement.objects.exists() and DatasetVersion.objects.count() == 1
