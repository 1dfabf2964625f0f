"""Texts of rows that runs and evaluations kept: gone when the data is erased. Scores, counts and digests stay.

What is kept of rows lies in the folders of the runs that read them, in evaluations, and in what reviewers were shown. A run
may be under way while its data is erased: it forgets again when it records, and when it ends otherwise.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from django.db import transaction

from datasets_app.models import DatasetVersion, VersionState
from gptstudio.core import storage
from gptstudio.review.selectors import item_about
from gptstudio.review.services import forget_evidence
from training_app import looks
from training_app.models import Evaluation, FineTuningJob


def forget_answers(version: DatasetVersion) -> int:
    """Its data was erased. Returns how many runs learnt from it; doing it again does no harm."""
    with transaction.atomic():
        evaluations = list(Evaluation.objects.select_for_update().filter(version=version).order_by("id"))
        for evaluation in evaluations:
            evaluation.result, evaluation.safety = _scores_alone(evaluation.result), _checks_alone(evaluation.safety)
            evaluation.save(update_fields=["result", "safety"])
            _forget_evidence(evaluation.model_id)
    jobs = list(FineTuningJob.objects.filter(version=version))
    for job in jobs:
        forget_files(job)
    return len(jobs)


def forget_if_erased(job: FineTuningJob) -> None:
    """Once what a run wrote down is committed: its data may have been erased meanwhile. If it is erased only after this
    look, whoever erases it finds what was written.
    """
    version = DatasetVersion.objects.filter(id=job.version_id, state=VersionState.ERASED).first()
    if version is not None:
        forget_answers(version)


def forget_files(job: FineTuningJob) -> None:
    """Texts of rows in a run's folder, on this machine; the bucket's copy goes whole."""
    _rewrite(job.folder / "evaluate" / "evaluation.json", _scores_alone)
    _rewrite(job.folder / "safety" / "safety.json", _checks_alone)
    _rewrite(job.folder / "safety" / "spec.json", lambda spec: {**spec, "canaries": []})
    for name in ("rows.parquet", "rows.parquet.tmp"):
        (job.folder / "evaluate" / name).unlink(missing_ok=True)
    shutil.rmtree(looks.folder_of(job), ignore_errors=True)  # last: while it is there, there are texts
    storage.let_go(job.stored, here=False)


def runs_on_erased(ids: Collection[str]) -> set[str]:
    """Those of these runs whose rows were erased."""
    found = FineTuningJob.objects.filter(id__in=ids, version__state=VersionState.ERASED)
    return set(found.values_list("id", flat=True))


def runs_with_erased_texts(ids: Collection[str]) -> set[str]:
    """Those of them of which this machine has texts."""
    erased = FineTuningJob.objects.filter(id__in=runs_on_erased(ids))
    return {
        job.id for job in erased if looks.folder_of(job).exists() or (job.folder / "evaluate" / "rows.parquet").exists()
    }


def forget_run(job_id: str) -> None:
    """Texts of rows in a run's folder, where it was run on another machine and only its copy lies here."""
    forget_files(FineTuningJob.objects.get(id=job_id))


def _scores_alone(result: dict[str, Any]) -> dict[str, Any]:
    """Without the answers that the first kind of evaluations held."""
    return {key: value for key, value in result.items() if key != "samples"}


def _checks_alone(report: dict[str, Any]) -> dict[str, Any]:
    """Without examples, and without the answers that another scorer judged."""
    found = {key: value for key, value in report.items() if key != "judged"}
    if "checks" in found:
        found["checks"] = [{**check, "examples": []} for check in found["checks"]]
    return found


def _forget_evidence(model_id: str) -> None:
    item = item_about(model_id, kind="model")
    if item is not None:
        forget_evidence(item.id, forget=_evidence_alone)


def _evidence_alone(evidence: dict[str, Any]) -> dict[str, Any]:
    found = _scores_alone(evidence)
    return {**found, "safety": _checks_alone(found["safety"])} if found.get("safety") else found


def _rewrite(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Write a JSON file anew without its texts, whole under its name."""
    if not path.is_file():
        return
    content = json.loads(path.read_text(encoding="utf-8"))
    left = change(content)
    if left == content:
        return
    staging = path.with_name(f".{path.name}.left")
    staging.write_text(json.dumps(left, indent=2, ensure_ascii=False), encoding="utf-8")
    staging.replace(path)
