"""Looking inside runs in the browser: what it saw, its worst rows, runs side by side, how it learned in words."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from datasets_app.services import erase_version
from tests.worlds import finish_job, make_dataset, make_job, make_version, write_answers
from training_app.models import FineTuningJob, JobEvent, MetricPoint
from training_app.runner import evaluate_spec
from training_app.selectors.answers import groups_of
from training_app.services.stale import forget_erased
from training_app.web import besting
from training_app.web.besting import clear_best
from training_app.web.learning import reading

pytestmark = pytest.mark.django_db
BATCH = {
    "version": 1, "rows_in_batch": 8, "width": 12, "padding": 3,
    "rows": [{"tokens": 5, "learned": 2, "pieces": [["<|user|>Where", False], ["On its way.", True]]}],
}  # fmt: skip
HARDEST = {
    "version": 1, "step": 20, "measured": 60, "mean_loss": 1.5,
    "rows": [{"place": 3, "loss": 4.2, "tokens": 4}, {"place": 0, "loss": 3.1, "tokens": 4}],
}  # fmt: skip


@pytest.fixture
def version(as_alice, studio_home):
    return make_version(as_alice, dataset=make_dataset(as_alice)[0])


@pytest.fixture
def job(as_alice, version, starter):
    return make_job(as_alice, version=version, base=starter)


@pytest.fixture
def looked(job):
    """The job with all that an engine leaves to look at."""
    folder = job.folder / "looks"
    folder.mkdir(parents=True)
    (folder / "first_batch.json").write_text(json.dumps(BATCH))
    (folder / "hardest_rows.json").write_text(json.dumps(HARDEST))
    for step, answer in ((10, "hm"), (20, "On its way!")):
        content = {"version": 1, "step": step, "answers": [{"place": 5, "answer": answer}]}
        (folder / f"sample-{step}.json").write_text(json.dumps(content))
    return job


def test_the_first_batch_stands_token_by_token_with_what_is_learned_underlined(at_bob, looked) -> None:
    page = at_bob.get(f"/fine-tunes/{looked.id}/saw").content.decode()
    assert '<span class="token read">&lt;|user|&gt;Where</span><span class="token learned">On its way.</span>' in page
    assert "1 of its 8 rows are shown" in page


def test_answers_by_step_stand_below_their_question_and_reference(at_bob, looked) -> None:
    page = at_bob.get(f"/fine-tunes/{looked.id}/saw").content.decode()
    assert "Where is parcel 5?" in page and page.index("hm</td>") < page.index("On its way!</td>")


def test_the_worst_rows_are_read_from_the_version_and_lead_to_it(at_bob, looked, version) -> None:
    page = at_bob.get(f"/fine-tunes/{looked.id}/worst").content.decode()
    assert page.index("Where is parcel 3?") < page.index("Where is parcel 0?")
    assert f'/datasets/versions/{version.id}/rows/validation/3/"' in page and "validation row 4" in page


def test_before_the_run_has_begun_the_pages_say_what_will_be_there(at_bob, as_alice, version, starter) -> None:
    job = make_job(as_alice, version=version, base=starter, is_started=False)
    assert "Nothing to see yet" in at_bob.get(f"/fine-tunes/{job.id}/saw").content.decode()
    assert "Not measured yet" in at_bob.get(f"/fine-tunes/{job.id}/worst").content.decode()


def test_erased_rows_take_along_what_a_run_kept_of_them(at_alice, as_alice, looked, version) -> None:
    forget_erased()
    assert (looked.folder / "looks").exists()
    erase_version(as_alice, version=version, reason="Asked for.")
    for tab in ("saw", "worst"):
        page = at_alice.get(f"/fine-tunes/{looked.id}/{tab}").content.decode()
        assert "The rows were erased" in page and "parcel" not in page
    forget_erased()
    assert not (looked.folder / "looks").exists()


@pytest.fixture
def two(as_alice, version, starter, job, tmp_path):
    """Two runs on one version, both with a model that was judged on the same ten rows."""
    finish_job(job, folder=tmp_path / "first")
    other = make_job(as_alice, version=version, base=starter, name="Slower")
    finish_job(other, folder=tmp_path / "second")
    return [FineTuningJob.objects.get(id=each.id) for each in (job, other)]


def compared(client, *jobs) -> str:
    return client.get("/fine-tunes/compare?" + "&".join(f"run={job.id}" for job in jobs)).content.decode()


def keep_losses(job, nats: float) -> None:
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "validation_losses.json").write_text(json.dumps({"rows": [[at, nats, 1, at] for at in range(12)]}))


def test_runs_stand_side_by_side_with_what_differs_and_none_is_best_by_chance(at_bob, two) -> None:
    job, other = two
    changed = {"learning_rate": 1e-5, "max_length": 64, "eval_steps": 7, "class_weights": True, "micro_batch_size": 1}
    changed_run = {"hyperparameters": {**other.hyperparameters, **changed}, "preset": "quick", "method": "lora"}
    FineTuningJob.objects.filter(id=other.id).update(**changed_run)
    MetricPoint.objects.filter(job=other, validation_loss__isnull=False).update(validation_loss=2.5)
    page = compared(at_bob, job, other)
    assert "Validation loss" in page and "Slower" in page
    differing = page[page.index("Settings that differ") :]
    assert "1e-05" in differing and "Batch size" not in differing
    for title in ("Learning rate", "Longest row, in tokens", "Steps between validations", "Weigh small classes more"):
        assert f"<td>{title}</td>" in differing
    for value in ("Quick look", "LoRA", "yes"):
        assert f'<td class="num">{value}</td>' in differing
    assert "True" not in differing
    assert "<td>micro_batch_size</td>" in differing, "the form has no name for it"
    assert "2.5</td>" in page and "3.1</td>" in page and "ROUGE-L" in page
    assert "<b>" not in page[page.index("What came of them") : page.index("Settings that differ")]


def test_the_best_is_marked_where_rows_that_both_answered_say_so(two) -> None:
    job, other = two
    assert clear_best(two) == {}
    write_answers(job.model.evaluation, scored=0.0)
    assert clear_best(two) == {"rougeL": 1} and clear_best(two[::-1]) == {"rougeL": 0}
    keep_losses(job, 2.0)
    keep_losses(other, 1.0)
    assert clear_best(two)["validation_loss"] == 1
    other.hyperparameters = {**other.hyperparameters, "max_length": 64}
    assert clear_best(two) == {"rougeL": 1}, "losses of rows that were cut elsewhere do not compare"


def test_no_best_is_marked_between_scores_that_were_counted_in_different_ways(two) -> None:
    job, other = two
    write_answers(job.model.evaluation, scored=0.0)
    signatures = other.model.evaluation.result["signatures"]
    other.model.evaluation.result = {
        **other.model.evaluation.result,
        "signatures": {**signatures, "rouge": f"{signatures['rouge']}|tok:another"},
    }
    assert clear_best(two) == {}, "its words are found in another way"
    other.model.evaluation.result["signatures"] = {**signatures, "bleu": "another"}
    assert clear_best(two) == {"rougeL": 1}, "what another metric counts does not matter"
    for each in two:
        each.model.evaluation.result.pop("signatures")
    assert clear_best(two) == {}, "nobody knows how they were counted"


def test_the_groups_of_kept_rows_are_read_once_however_many_there_are(two, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(besting, "groups_of", lambda evaluation: asked.append(evaluation) or groups_of(evaluation))
    clear_best(two)
    assert len(asked) == 1


def test_runs_of_any_seed_are_scored_on_the_same_rows(two) -> None:
    job, other = two
    other.seed = job.seed + 1
    seeds = {evaluate_spec(each, each.model)["seed"] for each in two}
    assert len(seeds) == 1


def test_comparing_begins_with_a_choice_and_refuses_another_workspaces_run(
    at_bob, client, charlie, job, as_charlie
) -> None:
    assert "Choose runs to compare" in at_bob.get("/fine-tunes/compare").content.decode()
    assert "Choose another beside it" in at_bob.get(f"/fine-tunes/compare?run={job.id}").content.decode()
    client.force_login(charlie)
    for address in (f"compare?run={job.id}", f"{job.id}/saw", f"{job.id}/worst", f"new?from={job.id}"):
        assert client.get(f"/fine-tunes/{address}").status_code == 404
    assert "No fine-tune yet" in client.get("/fine-tunes/compare").content.decode()


SOON = {"seconds": 120.0, "memory_bytes": 1 << 29, "tokens": 5000, "cost_micro": 0}


def test_what_it_took_stands_beside_what_was_expected(at_bob, job) -> None:
    FineTuningJob.objects.filter(id=job.id).update(
        plan={"usage": {"seconds": 100.0, "memory_bytes": 1 << 30}},
        estimate=SOON,
    )
    page = at_bob.get(f"/fine-tunes/{job.id}/settings").content.decode()
    assert "What it took" in page and "2 minutes" in page and "512 MB" in page and "1 GB" in page
    assert "Judging the model" not in page
    FineTuningJob.objects.filter(id=job.id).update(estimate={**SOON, "judging_seconds": 300.0})
    at = timezone.now()
    for seq, (phase, kind) in enumerate(product(("evaluate", "safety"), ("started", "finished"))):
        when = at + timedelta(minutes=2 * seq)
        JobEvent.objects.create(job=job, phase=phase, kind=kind, attempt=1, seq=seq, at=when)
    page = at_bob.get(f"/fine-tunes/{job.id}/settings").content.decode()
    assert '<td>Judging the model</td><td class="num">5 minutes</td><td class="num">4 minutes</td>' in page


def points(train: list[float], looks: list[float]) -> list[MetricPoint]:
    made = [MetricPoint(step=step, epoch=0, loss=loss) for step, loss in enumerate(train, 1)]
    return made + [MetricPoint(step=step * 5, epoch=0, validation_loss=loss) for step, loss in enumerate(looks, 1)]


FALLING = [3.0, 2.8, 2.6, 2.4, 2.2, 2.0, 1.8, 1.6, 1.4, 1.2, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]


@pytest.mark.parametrize(
    ("train", "looks", "reason", "title"),
    [
        (FALLING, [2.0, 1.5, 1.6, 1.7], "early_stopping", "Best at step 10; stopped 10 steps later."),
        (FALLING, [2.0, 1.5, 1.6, 1.9], "completed", "Validation rises while training falls, since step 10."),
        (FALLING, [2.0, 1.5, 1.6, 1.9], "", "Validation rises while training falls, since step 10."),
        (FALLING, [3.0, 2.5, 2.0, 1.5], "completed", "Still falling when it ended: train longer."),
        (FALLING, [3.0, 2.5, 2.0, 1.5], "", "It is getting better."),
        (FALLING, [3.0, 2.0, 1.99, 1.985], "completed", "Lowest loss at step 20."),
        ([3.0] * 20, [3.0, 2.99, 3.0, 2.99], "completed", "It hardly learned."),
        (FALLING, [], "completed", "Nobody watched for learning by heart."),
        (FALLING, [2.0], "completed", "Too short to judge."),
    ],
)
def test_curves_are_read_in_words(train, looks, reason, title) -> None:
    found = reading(points(train, looks), reason=reason, is_busy=not reason)
    assert found is not None and found.title == title


def test_the_step_that_is_kept_need_not_be_that_of_the_lowest_loss() -> None:
    found = reading(points(FALLING, [2.0, 1.5, 1.6, 1.7]), reason="early_stopping", is_busy=False, kept=15)
    assert found is not None and found.title == "Best at step 15; stopped 5 steps later."
    assert "lowest at step 10" in found.detail
    found = reading(points(FALLING, [2.0, 1.5, 1.6, 1.9]), reason="completed", is_busy=False, kept=15)
    assert found is not None and "The weights of step 15 are the model." in found.detail


def test_figures_on_other_rows_are_not_ranked(at_bob, as_alice, version, starter, job, tmp_path) -> None:
    finish_job(job, folder=tmp_path / "made")
    other = make_job(as_alice, version=version, base=starter, name="Pairs")
    FineTuningJob.objects.filter(id=other.id).update(hyperparameters={**other.hyperparameters, "objective": "dpo"})
    MetricPoint.objects.filter(job=other, validation_loss__isnull=False).update(validation_loss=0.5)
    page = at_bob.get(f"/fine-tunes/compare?run={job.id}&run={other.id}").content.decode()
    assert "their losses and perplexity do not compare" in page and "<b>0.5</b>" not in page and "0.5</td>" in page
    assert "pairs of answers (DPO)" in page


def test_nothing_is_said_before_there_is_a_curve() -> None:
    assert reading([], reason="", is_busy=True) is None
    assert reading(points([3.0], []), reason="", is_busy=True) is None


def test_the_sentence_stands_above_the_curves(at_bob, job) -> None:
    MetricPoint.objects.filter(job=job, step=20).update(validation_loss=2.0)
    page = at_bob.get(f"/fine-tunes/{job.id}/").content.decode()
    assert page.index("It is getting better.") < page.index("<h2>Learning</h2>") and "Gradient norm" in page
