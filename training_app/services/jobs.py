"""Jobs as people steer them: created, cancelled, paused, resumed."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from datasets_app.models import DatasetFile, DatasetVersion, VersionState
from datasets_app.recipes import default_recipe, step
from datasets_app.services import create_version
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid, NotFound
from gptstudio.core.queue import enqueue
from training_app import presets
from training_app.estimates import plan_of, project
from training_app.models import FineTuningJob, JobPhase, JobState, LanguageModel, Wanted
from training_app.models.job import TRANSITIONS
from training_app.preflight import Look, look_up, preflight
from training_app.services.notices import tell_ended

SUFFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
DEFAULT_SEED = 42
# Rows of a file that a job names may have so many tokens, where the model reads that far; longer ones are left out.
FILE_LENGTH = 2048
NOT_FINITE = "loss_not_finite"


def _audit(actor: Actor, job: FineTuningJob, action: str, data: dict[str, Any] | None = None) -> None:
    record(
        actor,
        workspace_id=job.workspace_id,
        action=action,
        subject_kind="job",
        subject_id=job.id,
        subject_label=job.name,
        data=data,
    )


def resolve_for(job: FineTuningJob, version: DatasetVersion) -> dict[str, Any]:
    """The whole hyperparameters, once the size of the training split is known. Invalid where they ask for class weights
    or pairs of answers that the data does not have."""
    if job.requested.get("class_weights") and not version.class_weights:
        raise Invalid(
            f"{version} has no class weights.",
            fix="Choose “Weigh small classes more while learning” in its recipe, or train without them.",
            param="class_weights",
        )
    if job.requested.get("objective") == "dpo" and not version.report.get("pairs", {}).get("train"):
        raise Invalid(
            f"{version} has no pairs of answers to learn a preference from.",
            fix="Upload rows with a preferred and another answer to each question, or learn from answers.",
            param="objective",
        )
    return presets.resolve(
        preset_key=job.preset,
        method=job.method,
        requested=job.requested,
        parameters=job.base_model.parameters,
        rows=version.report["splits"]["train"],
        context_length=job.base_model.context_length,
        seed=job.seed,
        token_limit=version.token_limit,
    )


def version_for_files(
    actor: Actor, *, training_file: DatasetFile, validation_file: DatasetFile | None, base_model: LanguageModel
) -> DatasetVersion:
    """Freeze a file under the default recipe. A validation file is used as it is: no other row goes there."""
    recipe = default_recipe()
    files = [training_file]
    step(recipe, "tokens")["options"].update(
        model=base_model.root.name, limit=min(FILE_LENGTH, base_model.context_length)
    )
    if validation_file is not None:
        files.append(validation_file)
        shares = {"train": 0.9, "validation": 0.0, "test": 0.1}
        step(recipe, "split")["options"].update(shares, validation_files=[validation_file.id])
    return create_version(actor, dataset=training_file.dataset, recipe=recipe, files=files)


def _check(
    version: DatasetVersion | None,
    training_file: DatasetFile | None,
    validation_file: DatasetFile | None,
    suffix: str,
) -> None:
    if (version is None) == (training_file is None):
        raise Invalid("The fine-tune needs data.", fix="Name a data version or a training file.", param="training_file")
    if training_file is not None and validation_file is not None and training_file.digest == validation_file.digest:
        raise Invalid(
            "The training file and the validation file hold the same rows.",
            fix="Leave the validation file out: a tenth of the rows is kept aside for it.",
            param="validation_file",
        )
    if suffix and not SUFFIX.fullmatch(suffix):
        raise Invalid(
            f"{suffix!r} cannot be a suffix.", fix="Use up to 64 letters, digits, dots and dashes.", param="suffix"
        )


def checked_request(
    *, base_model: LanguageModel, preset: str, method: str, hyperparameters: dict[str, Any] | None, seed: int | None
) -> dict[str, Any]:
    """The settings that were asked for, without the "auto"s. Raises Invalid where this studio cannot do it."""
    if method not in presets.METHODS:
        raise Invalid(f"There is no method {method!r}.", fix="Choose full, lora or qlora.", param="method")
    presets.preset(preset)
    asked = presets.checked(hyperparameters or {})
    presets.checked({"seed": seed})
    if settings.TRAINING_DEVICE == "cpu":
        presets.refuse_on_cpu(method, asked)
    if method == "qlora" and base_model.is_adapter:
        raise Invalid(
            f"{base_model} is a LoRA fine-tune, which is merged before it is learned from; in 4 bits that would lose it.",
            fix="Choose LoRA, or start from a base model.",
            param="method",
        )
    return asked


def check_theirs(
    workspace_id: str,
    base_model: LanguageModel,
    version: DatasetVersion | None,
    training_file: DatasetFile | None = None,
    validation_file: DatasetFile | None = None,
) -> None:
    """Another workspace's data or model is not there, whoever looked it up."""
    owners = {base_model.workspace_id or workspace_id}
    owners |= {each.dataset.workspace_id for each in (version, training_file, validation_file) if each is not None}
    if owners != {workspace_id}:
        raise NotFound("There is no such data or model in this workspace.", fix="Look for it in the list.")


@transaction.atomic
def create_job(
    actor: Actor,
    *,
    workspace_id: str,
    base_model: LanguageModel,
    version: DatasetVersion | None = None,
    training_file: DatasetFile | None = None,
    validation_file: DatasetFile | None = None,
    preset: str = "balanced",
    method: str = "full",
    hyperparameters: dict[str, Any] | None = None,
    name: str = "",
    suffix: str = "",
    seed: int | None = None,
    metadata: dict[str, Any] | None = None,
) -> FineTuningJob:
    """Start a fine-tune of `base_model`, which may be one itself, on a ready version, or on a file that is frozen first."""
    require(actor, "training.edit", workspace_id=workspace_id)
    _check(version, training_file, validation_file, suffix)
    check_theirs(workspace_id, base_model, version, training_file, validation_file)
    asked = checked_request(
        base_model=base_model, preset=preset, method=method, hyperparameters=hyperparameters, seed=seed
    )
    if version is None and training_file is not None:
        version = version_for_files(
            actor, training_file=training_file, validation_file=validation_file, base_model=base_model
        )
    job = FineTuningJob(
        workspace_id=workspace_id,
        name=(name.strip() or suffix or f"{version.dataset.name} on {base_model.name}")[:120],  # type: ignore[union-attr]
        version=version,
        training_file=training_file,
        validation_file=validation_file,
        base_model=base_model,
        preset=preset,
        suffix=suffix,
        method=method,
        requested=asked,
        seed=DEFAULT_SEED if seed is None else seed,
        metadata=metadata or {},
        created_by_id=actor.user_id,
        state=JobState.VALIDATING_FILES,
    )
    if version is not None and version.state == VersionState.READY:
        start_queued(job, version)
    job.save(force_insert=True)
    _audit(actor, job, "job.created", {"base_model": base_model.name, "version": job.version_id, "method": method})
    if job.state == JobState.QUEUED:
        enqueue("training.run_job", job.id, queue=settings.TRAINING_QUEUE)
    return job


def start_queued(job: FineTuningJob, version: DatasetVersion) -> None:
    """Fill in what the frozen data decides, unless it is settled; raise Conflict with the first hard stop of the pre-flight
    list."""
    job.hyperparameters = job.hyperparameters or resolve_for(job, version)
    run: dict[str, Any] = {"version": version, "base_model": job.base_model, "method": job.method}
    look = look_up(**run, hyperparameters=job.hyperparameters)
    findings = preflight(**run, hyperparameters=job.hyperparameters, look=look)
    for finding in findings:
        if finding.severity == "stop":
            raise Conflict(f"{finding.title}: {finding.message}", fix=finding.fix, code="preflight")
    job.estimate = _expected(job, version, look)
    job.state = JobState.QUEUED


def _expected(job: FineTuningJob, version: DatasetVersion, look: Look) -> dict[str, Any]:
    """What the run will take, where a few of its steps were tried before; shown beside what it took."""
    if not look.tried:
        return {}
    splits = version.report["splits"]
    has_validation = splits["validation"] > 0
    rows = round(splits["train"] * job.rows_share)
    plan = plan_of(rows=rows, hyperparameters=job.hyperparameters, has_validation=has_validation)
    price = settings.PRICE_TRAINING_HOUR_MICRO
    test_rows = 0 if job.study_id else splits.get("test", 0)  # runs of a study are not judged
    return asdict(project(look.tried, plan=plan, test_rows=test_rows, price_micro_an_hour=price))


@transaction.atomic
def _want(actor: Actor, job: FineTuningJob, *, wanted: str, at_once: str) -> FineTuningJob:
    """Ask a running job for something, or do it at once to one that does not run."""
    require(actor, "training.edit", workspace_id=job.workspace_id)
    job = FineTuningJob.objects.select_for_update().get(id=job.id)
    TRANSITIONS.check(job.state, at_once, noun="fine-tune")
    is_waiting = job.phase == JobPhase.RELEASE  # nobody works on it: an engine is awaited
    if is_waiting and wanted == Wanted.PAUSE:
        raise Conflict("This fine-tune is trained and evaluated; there is nothing left to pause.")
    if job.wanted == Wanted.CANCEL:
        raise Conflict("This fine-tune is being cancelled already.")
    job.wanted = wanted
    if job.state != JobState.RUNNING or is_waiting:
        job.state = at_once
        if at_once == JobState.CANCELLED:
            job.finished_at = timezone.now()
    job.save(update_fields=["wanted", "state", "finished_at"])
    _audit(actor, job, f"job.{wanted}_requested")
    if job.state == JobState.CANCELLED:
        tell_ended(job.id)
    return job


def cancel_job(actor: Actor, *, job: FineTuningJob) -> FineTuningJob:
    """Stop it, and expect nothing of it any more. A running engine saves a checkpoint first, from which it could go on."""
    return _want(actor, job, wanted=Wanted.CANCEL, at_once=JobState.CANCELLED)


def pause_job(actor: Actor, *, job: FineTuningJob) -> FineTuningJob:
    """Stop for now. A running engine saves a checkpoint first."""
    return _want(actor, job, wanted=Wanted.PAUSE, at_once=JobState.PAUSED)


@transaction.atomic
def resume_job(actor: Actor, *, job: FineTuningJob, gentler: bool = False) -> FineTuningJob:
    """Go on with a paused, failed or cancelled run from its last verified checkpoint, or with one that was cancelled before
    its model had a verdict; `gentler`, for a run whose loss stopped being a number, with a tenth of the learning rate."""
    require(actor, "training.edit", workspace_id=job.workspace_id)
    job = FineTuningJob.objects.select_for_update(of=("self",)).select_related("version", "base_model").get(id=job.id)
    if job.archived_at is not None or job.base_model.weights_deleted_at is not None:
        raise Conflict("This fine-tune or its base model was put away.", fix="Start a new one.")
    if not job.can_go_on:
        raise Conflict(
            f"This fine-tune is {job.state}.",
            fix="One that is paused, failed, or was cancelled and has a checkpoint can be resumed.",
        )
    if job.version is not None and job.version.state == VersionState.ERASED:
        raise Conflict("The rows of this fine-tune were erased.", fix="Start a new one on another version.")
    if job.version is None or job.version.state in (VersionState.FAILED, VersionState.CANCELLED):
        raise Conflict("The data of this fine-tune could not be made.", fix="Start a new one on a ready version.")
    if gentler:
        if job.error.get("code") != NOT_FINITE:
            raise Conflict("Only a run whose loss stopped being a number goes on with a smaller learning rate.")
        rate = float(job.hyperparameters["learning_rate"]) / 10
        job.hyperparameters = {**job.hyperparameters, "learning_rate": rate}
    job.state = JobState.QUEUED
    if job.version.state != VersionState.READY:
        job.state = JobState.VALIDATING_FILES  # the reconciler moves it on
    elif not job.hyperparameters:
        start_queued(job, job.version)
    job.wanted, job.error, job.finished_at = Wanted.RUN, {}, None
    job.save(update_fields=["state", "wanted", "error", "finished_at", "hyperparameters", "estimate"])
    _audit(actor, job, "job.resumed", {"learning_rate": job.hyperparameters["learning_rate"]} if gentler else None)
    if job.state == JobState.QUEUED:
        enqueue("training.run_job", job.id, queue=settings.TRAINING_QUEUE)
    return job
