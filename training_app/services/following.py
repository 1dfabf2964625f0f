"""What follows when a run of a study has ended: its next run, or its end. Workers and the reconciler call it.

All that a study has learnt lies in its runs, so a restart loses nothing: what comes next is worked out from them anew. One
run is under way at a time, and takes its turn in the queue like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gptstudio.core.errors import StudioError
from gptstudio.core.queue import enqueue
from training_app import gains, looks, trials
from training_app.gains import percent
from training_app.models import FineTuningJob, JobState, Study, StudyKind, StudyState
from training_app.selectors.studies import OPEN, looks_of, runs_of, standing_studies, stopped_behind
from training_app.services.archiving import free_run
from training_app.services.jobs import NOT_FINITE, start_queued
from training_app.services.notices import tell_study_ended

KEPT = (*OPEN, JobState.FAILED)  # a failed run may go on from its checkpoint
MOST_FAILED = 3  # trials in a row: then something else than their settings is at fault


@dataclass(frozen=True, slots=True)
class Run:
    """A run to come: what to ask for beside the study's own settings, and how much of the rows it learns from."""

    asked: dict[str, Any] = field(default_factory=dict)
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class End:
    """How a study ends. `error` is {code, message, fix}."""

    state: str
    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)


def continue_study(study_id: str) -> None:
    """Begin the next run of a study, or end it. Doing it twice, or while a run is under way, does no harm."""
    study = Study.objects.select_related("version__dataset", "base_model", "origin").get(id=study_id)
    runs = runs_of(study)
    _drop_weights(runs)
    if study.state != StudyState.RUNNING or any(run.state in OPEN for run in runs):
        return
    following = _after(study, runs)
    with transaction.atomic():
        locked = Study.objects.select_for_update(of=("self",)).get(id=study_id)
        if locked.state != StudyState.RUNNING or FineTuningJob.objects.filter(study=locked).count() != len(runs):
            return
        if isinstance(following, End):
            _end(locked, following)
            return
        try:
            with transaction.atomic():
                start_run(study, following, place=len(runs) + 1)
        except StudioError as error:
            _end(locked, End(StudyState.FAILED, error=_error(error.code, error.message, error.fix)))


def continue_standing() -> int:
    """Studies that nobody carries on although their runs are over. Returns how many."""
    standing = standing_studies()
    for study_id in standing:
        continue_study(study_id)
    return len(standing)


def start_run(study: Study, run: Run, *, place: int) -> FineTuningJob:
    """Put a run of a study into the queue. Raises Conflict with the first hard stop of the pre-flight list."""
    job = FineTuningJob(
        workspace_id=study.workspace_id,
        name=f"{study.name[:90]}, {_title(study, run, place)}",
        version=study.version,
        base_model=study.base_model,
        preset=study.preset,
        method=study.method,
        requested={**study.requested, **run.asked},
        hyperparameters=_settled(study, run.share) if study.kind == StudyKind.LEARNING_CURVE else {},
        seed=study.seed,
        study=study,
        place=place,
        rows_share=run.share,
        created_by_id=study.created_by_id,
    )
    start_queued(job, study.version)
    job.save(force_insert=True)
    enqueue("training.run_job", job.id, queue=settings.TRAINING_QUEUE)
    return job


def _title(study: Study, run: Run, place: int) -> str:
    return f"{percent(run.share)} of the rows" if study.kind == StudyKind.LEARNING_CURVE else f"trial {place}"


def _settled(study: Study, share: float) -> dict[str, Any]:
    """The same settings on fewer rows. A run of fewer steps is looked at and saved as often on its way."""
    found = dict(study.hyperparameters)
    if not found.get("max_steps"):
        found |= {name: max(1, round(found[name] * share)) for name in ("eval_steps", "save_steps")}
    return found


def shares_of(study: Study) -> list[float]:
    """The shares of the rows that a learning curve trains on; all rows were learned from already where it has an origin."""
    return [share for share in gains.SHARES if share < 1.0 or study.origin is None]


def _after(study: Study, runs: Sequence[FineTuningJob]) -> Run | End:
    return _after_trial(study, runs) if study.kind == StudyKind.SWEEP else _after_share(study, runs)


def tried(study: Study, runs: Sequence[FineTuningJob]) -> list[trials.Tried]:
    """What the ended trials tell the sampler. One that a person cancelled, or that failed for another reason, tells nothing."""
    looks, behind = looks_of(runs), stopped_behind(study)
    return [
        trials.Tried(
            settings={name: run.requested[name] for name in study.space},
            loss=min((loss for _, loss in looks[run.id]), default=None) if run.state == JobState.SUCCEEDED else None,
            looks=looks[run.id] if run.state == JobState.CANCELLED and run.id in behind else (),
            diverged=run.state == JobState.FAILED and run.error.get("code") == NOT_FINITE,
        )
        for run in runs
    ]


def _after_trial(study: Study, runs: Sequence[FineTuningJob]) -> Run | End:
    last, ended = runs[-MOST_FAILED:], tried(study, runs)
    if len(last) == MOST_FAILED and all(run.state == JobState.FAILED for run in last) and not ended[-1].diverged:
        message = f"{MOST_FAILED} trials in a row failed. The last one: {last[-1].error.get('message', '')}"
        return End(StudyState.FAILED, error=_error("runs_failed", message, last[-1].error.get("fix", "")))
    if len(runs) < study.length:
        asked = trials.propose(study.space, ended, start=study.hyperparameters, seed=study.seed)
        if asked is not None:
            return Run(asked)
    if not any(each.loss is not None for each in ended):
        message = "No trial was trained to its end, so there is nothing to choose from."
        return End(StudyState.FAILED, error=_error("nothing_tried", message, "Look at the trials' logs, and go on."))
    return End(StudyState.SUCCEEDED)


def _error(code: str, message: str, fix: str) -> dict[str, str]:
    return {"code": code, "message": message, "fix": fix}


def _after_share(study: Study, runs: Sequence[FineTuningJob]) -> Run | End:
    for run in runs:
        if run.state == JobState.CANCELLED:
            return End(StudyState.CANCELLED)
        if run.state == JobState.FAILED:
            message = f"The run on {percent(run.rows_share)} of the rows failed: {run.error.get('message', '')}".strip()
            return End(StudyState.FAILED, error=_error("run_failed", message, run.error.get("fix", "")))
    shares = shares_of(study)
    if len(runs) < len(shares):
        return Run(share=shares[len(runs)])
    found = [*runs, study.origin] if study.origin is not None else list(runs)
    return _measured([run for run in found if run is not None])


def _measured(runs: Sequence[FineTuningJob]) -> End:
    """What each run loses on the validation rows, and what came of more rows from one to the next."""
    losses = [(run.rows_share, looks.losses(run)) for run in runs]
    for run, (share, rows) in zip(runs, losses, strict=True):
        if not rows:
            message = f"What the run on {percent(share)} of the rows loses on the validation rows was not measured."
            fix = f"The log of {run.name} says why. Begin again once that is mended."
            return End(StudyState.FAILED, error=_error("not_measured", message, fix))
    steps = [gains.gain(before, after) for before, after in pairwise(losses)]
    return End(
        StudyState.SUCCEEDED,
        {
            "version": 1,
            "runs": [
                {"job": run.id, "share": share, "rows": run.plan.get("train_rows"), "loss": gains.mean_loss(rows)}
                for run, (share, rows) in zip(runs, losses, strict=True)
            ],
            "gains": [each.as_json() for each in steps],
            "verdict": gains.verdict(steps[-1]),
        },
    )


def _end(study: Study, end: End) -> None:
    study.state, study.result, study.error, study.finished_at = end.state, end.result, end.error, timezone.now()
    study.save(update_fields=["state", "result", "error", "finished_at"])
    tell_study_ended(study)


def _drop_weights(runs: Sequence[FineTuningJob]) -> None:
    """Nobody asks a run of a study for answers: what stays of it are its curve, its losses and its log."""
    for run in runs:
        has_weights = any(folder.exists() for folder in run.weights) or run.checkpoints.exists()
        if run.state not in KEPT and has_weights:
            free_run(run)
