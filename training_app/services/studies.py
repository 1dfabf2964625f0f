"""Studies as people steer them: begun, cancelled, gone on with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from datasets_app.models import DatasetVersion, VersionState
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid
from training_app import looks, presets, trials
from training_app.models import FineTuningJob, JobState, LanguageModel, Study, StudyKind, StudyState, Wanted
from training_app.selectors.studies import OPEN, runs_of
from training_app.services.following import Run, shares_of, start_run
from training_app.services.jobs import DEFAULT_SEED, cancel_job, check_theirs, checked_request, resolve_for, resume_job
from training_app.services.notices import tell_study_ended

FEWEST_VALIDATION = 6  # fewer rows can tell no difference from chance; see engine/intervals.py
NAME = 100


def _audit(actor: Actor, study: Study, action: str) -> None:
    record(
        actor,
        workspace_id=study.workspace_id,
        action=action,
        subject_kind="study",
        subject_id=study.id,
        subject_label=study.name,
        data={"kind": study.kind, "version": study.version_id, "runs": study.length},
    )


def _begun(
    actor: Actor,
    *,
    kind: StudyKind,
    workspace_id: str,
    version: DatasetVersion,
    base_model: LanguageModel,
    preset: str,
    method: str,
    hyperparameters: dict[str, Any] | None,
    seed: int | None,
    name: str,
) -> Study:
    """A study of a run that is described but not started, with its whole settings; not saved."""
    require(actor, "training.edit", workspace_id=workspace_id)
    check_theirs(workspace_id, base_model, version)
    asked = checked_request(
        base_model=base_model, preset=preset, method=method, hyperparameters=hyperparameters, seed=seed
    )
    _check_data(version)
    study = Study(
        workspace_id=workspace_id,
        kind=kind,
        name=(name.strip() or f"{version.dataset.name} on {base_model.name}")[:NAME],
        version=version,
        base_model=base_model,
        preset=preset,
        method=method,
        requested=asked,
        seed=DEFAULT_SEED if seed is None else seed,
        created_by_id=actor.user_id,
    )
    pattern = FineTuningJob(base_model=base_model, preset=preset, method=method, requested=asked, seed=study.seed)
    study.hyperparameters = resolve_for(pattern, version)
    return study


def _check_data(version: DatasetVersion) -> None:
    if version.state != VersionState.READY:
        raise Conflict(f"{version} is {version.state}.", fix="Choose a version that is ready.")
    rows = version.report["splits"]["validation"]
    if rows < FEWEST_VALIDATION:
        raise Conflict(
            f"{version} has {rows} validation row{'' if rows == 1 else 's'}, too few to tell runs apart.",
            fix=f"Give validation a larger share in the recipe: {FEWEST_VALIDATION} rows at the least, better a hundred.",
        )


@transaction.atomic
def create_learning_curve(
    actor: Actor,
    *,
    workspace_id: str,
    version: DatasetVersion,
    base_model: LanguageModel,
    preset: str = "balanced",
    method: str = "full",
    hyperparameters: dict[str, Any] | None = None,
    seed: int | None = None,
    name: str = "",
) -> Study:
    """Would more data help? Trains on a quarter, on half and on all of the training rows, and holds the losses on the
    validation rows against one another."""
    study = _begun(
        actor, kind=StudyKind.LEARNING_CURVE, workspace_id=workspace_id, version=version, base_model=base_model,
        preset=preset, method=method, hyperparameters=hyperparameters, seed=seed, name=name,
    )  # fmt: skip
    return _draw(actor, study)


@transaction.atomic
def create_learning_curve_of(actor: Actor, *, job: FineTuningJob, name: str = "") -> Study:
    """The same with the settings of a fine-tune. One that has succeeded and measured its losses is the run on all rows."""
    require(actor, "training.edit", workspace_id=job.workspace_id)
    if job.version is None or not job.hyperparameters:
        raise Conflict("The data of this fine-tune is not ready yet.", fix="Wait until it is trained.")
    if job.study_id is not None:
        raise Conflict("This is a run of a study already.", fix="Start a fine-tune with its settings first.")
    _check_data(job.version)
    study = Study(
        workspace_id=job.workspace_id,
        kind=StudyKind.LEARNING_CURVE,
        name=(name.strip() or job.name)[:NAME],
        version=job.version,
        base_model=job.base_model,
        origin=job if job.state == JobState.SUCCEEDED and looks.losses(job) else None,
        preset=job.preset,
        method=job.method,
        requested=job.requested,
        hyperparameters=job.hyperparameters,
        seed=job.seed,
        created_by_id=actor.user_id,
    )
    return _draw(actor, study)


def _draw(actor: Actor, study: Study) -> Study:
    if study.hyperparameters.get("objective") == "dpo":
        raise Conflict(
            "Whether more data would help is told for learning from answers, not from pairs of them.",
            fix="Compare fine-tunes on versions with fewer and more pairs.",
        )
    shares = shares_of(study)
    study.length = len(shares)
    study.save(force_insert=True)
    start_run(study, Run(share=shares[0]), place=1)
    _audit(actor, study, "study.created")
    return study


@transaction.atomic
def create_sweep(
    actor: Actor,
    *,
    workspace_id: str,
    version: DatasetVersion,
    base_model: LanguageModel,
    space: dict[str, Any],
    length: int = trials.USUAL,
    preset: str = "balanced",
    method: str = "full",
    hyperparameters: dict[str, Any] | None = None,
    seed: int | None = None,
    name: str = "",
    origin: FineTuningJob | None = None,
) -> Study:
    """Search for settings: trains `length` times with other values of those in `space`, {low, high, log} or {choices} by
    setting ({}: the usual range). The metric is the lowest loss on the validation rows."""
    if not trials.FEWEST <= length <= trials.MOST:
        raise Invalid(f"{length} trials are no search.", fix=f"{trials.FEWEST} to {trials.MOST}.", param="length")
    fixed = {name: value for name, value in (hyperparameters or {}).items() if name not in space}
    study = _begun(
        actor, kind=StudyKind.SWEEP, workspace_id=workspace_id, version=version, base_model=base_model, preset=preset,
        method=method, hyperparameters=hyperparameters, seed=seed, name=name,
    )  # fmt: skip
    study.requested = presets.checked(fixed)
    study.space = trials.checked_space(
        space, method=method, requested=study.requested, hyperparameters=study.hyperparameters
    )
    if settings.TRAINING_DEVICE == "cpu":
        for setting, said in study.space.items():
            for choice in said.get("choices", ()):
                presets.refuse_on_cpu(method, {setting: choice})
    study.length, study.origin = length, origin
    study.save(force_insert=True)
    first = trials.propose(study.space, [], start=study.hyperparameters, seed=study.seed)
    start_run(study, Run(first or {}), place=1)
    _audit(actor, study, "study.created")
    return study


@transaction.atomic
def cancel_study(actor: Actor, *, study: Study) -> Study:
    """Begin no further run, and cancel the one under way. What ended runs have measured stays."""
    require(actor, "training.edit", workspace_id=study.workspace_id)
    study = Study.objects.select_for_update().get(id=study.id)
    if study.state != StudyState.RUNNING:
        raise Conflict(f"This study is {study.state}.", fix="Only one that is running can be cancelled.")
    study.state, study.finished_at = StudyState.CANCELLED, timezone.now()
    study.save(update_fields=["state", "finished_at"])
    for run in runs_of(study):
        if run.state in OPEN and run.wanted != Wanted.CANCEL:
            cancel_job(actor, job=run)
    _audit(actor, study, "study.cancelled")
    tell_study_ended(study)
    return study


@transaction.atomic
def resume_study(actor: Actor, *, study: Study) -> Study:
    """Go on with a failed study where it stood: with its last failed run, from that one's checkpoint, if there is one."""
    require(actor, "training.edit", workspace_id=study.workspace_id)
    study = Study.objects.select_for_update().get(id=study.id)
    if study.state != StudyState.FAILED:
        raise Conflict(f"This study is {study.state}.", fix="Only a failed one can be gone on with.")
    study.state, study.error, study.finished_at = StudyState.RUNNING, {}, None
    study.save(update_fields=["state", "error", "finished_at"])
    failed = [run for run in runs_of(study) if run.state == JobState.FAILED]
    if failed:
        resume_job(actor, job=failed[-1])
    _audit(actor, study, "study.resumed")
    return study
