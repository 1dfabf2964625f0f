"""Models and fine-tunes that are put away: they leave the lists, their weights are deleted, all that tells of them stays.

Weights alone take room. Scores, verdicts, curves, settings and what descends from what are asked for as long as anything
learnt from them, so rows stay, and of a model's folder all but its weights.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core import artifacts, storage
from gptstudio.core.disk import size_of
from gptstudio.core.errors import Conflict
from gptstudio.review.models import ReviewState
from gptstudio.review.selectors import item_about
from training_app.models import (
    ENDED,
    WEIGHTS,
    Checkpoint,
    FineTuningJob,
    LanguageModel,
    ModelKind,
    Study,
    StudyState,
)
from training_app.selectors import is_released
from training_app.selectors.space import shares_weights

Use = Callable[[LanguageModel], str]
_uses: list[Use] = []


def register_use(use: Use) -> None:
    """Say of a model what uses it, as a sentence, or nothing: what stands above this app does so when it starts."""
    _uses.append(use)


def archiving_needs(model: LanguageModel) -> str:
    """What a person must be allowed to do to put it away."""
    return "base_models.register" if model.kind == ModelKind.BASE else "models.archive"


def hindrance(model: LanguageModel) -> str:
    """Why a model cannot be put away now, with what to do about it; empty where it can."""
    if model.workspace_id is None:
        return "It came with the studio, for all workspaces."
    of_kind = _of_base(model) if model.kind == ModelKind.BASE else _of_fine_tune(model)
    return of_kind or _as_start(model) or next((said for use in _uses if (said := use(model))), "")


def _of_base(model: LanguageModel) -> str:
    if LanguageModel.objects.filter(base=model, archived_at__isnull=True).exists():
        return "Models descend from it: put those away first."
    return ""


def _as_start(model: LanguageModel) -> str:
    if FineTuningJob.objects.filter(base_model=model).exclude(state__in=ENDED).exists():
        return "A fine-tune of it is not over: wait for it, or cancel it."
    if Study.objects.filter(base_model=model, state=StudyState.RUNNING).exists():
        return "A study trains on it: wait for it, or cancel it."
    return ""


def _of_fine_tune(model: LanguageModel) -> str:
    if is_released(model):
        return "It is released: take the release back first."
    item = item_about(model.id, kind="model")
    if item is not None and item.state == ReviewState.PENDING:
        return "A reviewer was asked to release it and has not decided yet: have that rejected first."
    if model.job is not None and model.job.state not in ENDED:
        return "Its fine-tune is not over: wait for it, or cancel it."
    if LanguageModel.objects.filter(base=model, is_adapter=True, archived_at__isnull=True).exists():
        return "A LoRA fine-tune stands on its weights: put that away first."
    return ""


def archive_model(actor: Actor, *, model: LanguageModel) -> int:
    """Put a model away for good. Returns how many bytes that freed; Conflict, with the reason, where it cannot be.

    Doing it again frees what a worker that died in between has left.
    """
    require(actor, archiving_needs(model), workspace_id=model.workspace_id or actor.workspace_id)
    with transaction.atomic():
        model = LanguageModel.objects.select_for_update(of=("self",)).select_related("job").get(id=model.id)
        if said := hindrance(model):
            raise Conflict(f"{model} cannot be put away. {said}")
        is_shared = shares_weights(model)
        freed = 0 if is_shared else sum(model.weights.values())
        if model.archived_at is None:
            model.archived_at = model.weights_deleted_at = timezone.now()
            model.save(update_fields=["archived_at", "weights_deleted_at"])
            record(
                actor,
                workspace_id=model.workspace_id,
                action="model.archived",
                subject_kind="model",
                subject_id=model.id,
                subject_label=model.name,
                data={"digest": model.digest, "freed_bytes": freed},
            )
    if not is_shared:
        artifacts.delete(model.digest, suffix=WEIGHTS)
    return freed


def archive_job(actor: Actor, *, job: FineTuningJob) -> int:
    """Put a fine-tune that is over away for good, its checkpoints with it. Returns how many bytes that freed."""
    require(actor, "training.edit", workspace_id=job.workspace_id)
    with transaction.atomic():
        job = FineTuningJob.objects.select_for_update().get(id=job.id)
        if job.state not in ENDED:
            raise Conflict(f"This fine-tune is {job.state}.", fix="Wait until it is over, or cancel it.")
        if job.study_id is not None:
            raise Conflict("This run belongs to a study.", fix="Of such runs no weights are kept.")
        freed = size_of(job.weights)
        if job.archived_at is None:
            job.archived_at = timezone.now()
            job.save(update_fields=["archived_at"])
            record(
                actor,
                workspace_id=job.workspace_id,
                action="job.archived",
                subject_kind="job",
                subject_id=job.id,
                subject_label=job.name,
                data={"freed_bytes": freed},
            )
    free_run(job)
    return freed


def free_run(job: FineTuningJob) -> None:
    """Delete the weights in a run's folder: checkpoints, and the model that the store has its own copy of."""
    Checkpoint.objects.filter(job=job).delete()
    for folder in job.weights:
        shutil.rmtree(folder, ignore_errors=True)
    storage.let_go(job.stored_checkpoints, here=False)
