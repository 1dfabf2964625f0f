"""What runs and evaluations kept of rows is gone once the data is erased, also where a run was under way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets_app.models import DatasetVersion
from gptstudio.core.errors import NotAllowed
from gptstudio.overview.erasure import emptied
from gptstudio.review.models import ReviewItem
from tests.worlds import RESULT, SAFETY, finish_job, make_dataset, make_job, make_version, write_answers
from training_app import services
from training_app.models import Evaluation

pytestmark = pytest.mark.django_db
SECRET = "Nina Novak lives at 4 Elm Street"
EXAMPLES = [{"prompt": SECRET, "answer": SECRET}]
REPORT = {**SAFETY, "checks": [{**SAFETY["checks"][0], "examples": EXAMPLES}], "judged": EXAMPLES}
OLD_RESULT = {**RESULT, "samples": [{"prompt": SECRET, "reference": SECRET, "base": SECRET, "tuned": SECRET}]}


@pytest.fixture
def model(as_alice, studio_home, starter, tmp_path):
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0])
    return finish_job(make_job(as_alice, version=version, base=starter), folder=tmp_path / "made")


def keep_texts(job) -> None:
    """The files that an engine leaves in the run's folder."""
    files = {
        "evaluate/evaluation.json": OLD_RESULT,
        "safety/safety.json": REPORT,
        "safety/spec.json": {"kind": "safety", "canaries": [SECRET]},
        "looks/first_batch.json": {"rows": [SECRET]},
        "looks/sample-20.json": {"answers": [SECRET]},
    }
    for name, content in files.items():
        path = job.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    write_answers(job.model.evaluation, tuned=SECRET)


def texts_under(folder: Path) -> list[str]:
    """Files that say it."""
    said = SECRET.encode()
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file() and said in path.read_bytes()]


def test_erased_data_leaves_no_text_in_files_evaluations_or_evidence(model, as_alice) -> None:
    keep_texts(model.job)
    old = {"safety": REPORT, "samples": OLD_RESULT["samples"], "tuned": RESULT["tuned"]}
    Evaluation.objects.filter(model=model).update(result=OLD_RESULT, safety=REPORT)
    item = services.request_release(as_alice, model=model)
    ReviewItem.objects.filter(id=item.id).update(evidence=old, state="approved")
    assert len(texts_under(model.job.folder)) >= 5

    emptied(as_alice, version=model.evaluation.version, reason="Asked by letter.")

    assert texts_under(model.job.folder) == [] and not (model.job.folder / "evaluate" / "rows.parquet").exists()
    kept, item = Evaluation.objects.get(model=model), ReviewItem.objects.get(id=item.id)
    assert SECRET not in json.dumps([kept.result, kept.safety, item.evidence])
    assert kept.result["intervals"] == RESULT["intervals"] and item.evidence["tuned"] == RESULT["tuned"]
    assert kept.safety["checks"][0]["detail"] == item.evidence["safety"]["checks"][0]["detail"] == "0 of 20 came back."
    assert json.loads((model.job.folder / "safety" / "safety.json").read_text())["passed"] is True


def test_an_evaluation_that_ends_after_the_erasure_keeps_no_text(as_alice, studio_home, starter, tmp_path) -> None:
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0])
    job = make_job(as_alice, version=version, base=starter)
    model = finish_job(job, folder=tmp_path / "made")
    emptied(as_alice, version=version, reason="Asked by letter.")

    keep_texts(job)
    assert services.record_evaluation(job, model=model, result=OLD_RESULT)
    assert texts_under(job.folder) == [] and not model.evaluation.answers.exists()
    keep_texts(job)
    assert services.record_safety(job, model=model, report=REPORT)
    assert texts_under(job.folder) == []
    kept = Evaluation.objects.get(model=model)
    assert SECRET not in json.dumps([kept.result, kept.safety]) and kept.safety["passed"]


def test_a_run_that_ends_otherwise_after_the_erasure_keeps_none_either(model, as_alice) -> None:
    services.forget_if_erased(model.job)
    assert model.evaluation.answers.exists()  # nothing was erased
    emptied(as_alice, version=model.evaluation.version, reason="Asked by letter.")
    keep_texts(model.job)
    services.forget_if_erased(model.job)
    assert texts_under(model.job.folder) == []


def test_forgetting_can_be_asked_for_again_and_not_by_strangers(model, as_alice, as_charlie) -> None:
    version = model.evaluation.version
    emptied(as_alice, version=version, reason="Asked by letter.")
    keep_texts(model.job)
    version = DatasetVersion.objects.get(id=version.id)
    with pytest.raises(NotAllowed):
        emptied(as_charlie, version=version, reason="Curious.")
    assert texts_under(model.job.folder)
    emptied(as_alice, version=version, reason="Asked by letter.")
    assert texts_under(model.job.folder) == []
