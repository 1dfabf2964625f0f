"""Reading jobs and models."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from gptstudio.core.errors import NotFound
from gptstudio.core.statements import Reading
from gptstudio.review.models import ReviewItem, ReviewState
from gptstudio.review.selectors import is_cleared
from training_app.models import (
    BaseModelImport,
    Checkpoint,
    Evaluation,
    FineTuningJob,
    ImportState,
    JobEvent,
    JobPhase,
    JobState,
    LanguageModel,
    MetricPoint,
    ModelKind,
)

_ASKED = Reading(
    lambda workspace_id, name: LanguageModel.objects.filter(
        Q(workspace_id=workspace_id) | Q(workspace_id=None), name=name, archived_at__isnull=True
    ).order_by("kind", "-created_at", "-id")[:1],
    str,
    str,
)


def models_of(workspace_id: str) -> QuerySet[LanguageModel]:
    """The workspace's models and everybody's base models; base models first, then the newest."""
    return (
        LanguageModel.objects.filter(Q(workspace_id=workspace_id) | Q(workspace_id=None), archived_at__isnull=True)
        .select_related("base", "job", "evaluation")
        .order_by("kind", "-created_at", "-id")
    )


def instructions_of_models(workspace_id: str) -> dict[str, str]:
    """By model id: the instructions that stood before every row that the model learnt from."""
    taught = LanguageModel.objects.filter(workspace_id=workspace_id, job__version__isnull=False)
    recipes = taught.values_list("id", "job__version__recipe")
    return {model_id: recipe["system_prompt"] for model_id, recipe in recipes if recipe.get("system_prompt")}


def base_models_of(workspace_id: str) -> QuerySet[LanguageModel]:
    """What a fine-tune can start from, the starter first."""
    return models_of(workspace_id).filter(kind=ModelKind.BASE).order_by("created_at", "id")


def model_of(workspace_id: str, model_id: str) -> LanguageModel:
    """One model that the workspace may see."""
    found = models_of(workspace_id).filter(id=model_id).first()
    if found is None:
        raise NotFound(f"There is no model {model_id} in this workspace.")
    return found


def base_model_of(workspace_id: str, model_id: str) -> LanguageModel:
    """One base model that the workspace may see."""
    found = base_models_of(workspace_id).filter(id=model_id).first()
    if found is None:
        raise NotFound(f"There is no base model {model_id} in this workspace.")
    return found


def import_of(workspace_id: str, import_id: str) -> BaseModelImport:
    """One of the workspace's base models on their way, or registered."""
    found = BaseModelImport.objects.filter(workspace_id=workspace_id, id=import_id).first()
    if found is None:
        raise NotFound(f"There is no import {import_id} in this workspace.")
    return found


def model_named(workspace_id: str, name: str) -> LanguageModel | None:
    """A model by the name that programs call it by."""
    return models_of(workspace_id).filter(name=name).first()


def model_asked(workspace_id: str, name: str) -> LanguageModel | None:
    """The same for the path of every request: the bare model, which nobody may change or follow from."""
    return next(iter(_ASKED.objects(workspace_id, name)), None)


def base_model_named(workspace_id: str, name: str) -> LanguageModel:
    """A base model by name."""
    found = base_models_of(workspace_id).filter(name=name).first()
    if found is None:
        known = ", ".join(base_models_of(workspace_id).values_list("name", flat=True))
        raise NotFound(
            f"There is no base model {name!r}.", fix=f"Known here: {known}.", code="model_not_found", param="model"
        )
    return found


def is_released(model: LanguageModel) -> bool:
    """Base models are cleared when they are registered; a fine-tune is once a review said yes, and while it stands."""
    return model.kind == ModelKind.BASE or is_cleared(model.id, kind="model")


def checkpoints_of(job: FineTuningJob) -> QuerySet[Checkpoint]:
    """Verified checkpoints of a job."""
    return Checkpoint.objects.filter(job=job)


def released_models() -> QuerySet[LanguageModel]:
    """What engines must hold: base models and released fine-tunes of all workspaces."""
    approved = ReviewItem.objects.filter(kind="model", state=ReviewState.APPROVED).values("subject_id")
    live = LanguageModel.objects.filter(archived_at__isnull=True)
    return live.filter(Q(kind=ModelKind.BASE) | Q(id__in=approved))


def released_ids(workspace_id: str) -> set[str]:
    """Ids of the workspace's fine-tunes that are released."""
    return set(
        ReviewItem.objects.filter(workspace_id=workspace_id, kind="model", state=ReviewState.APPROVED).values_list(
            "subject_id", flat=True
        )
    )


def release_states(workspace_id: str) -> dict[str, str]:
    """How the workspace's fine-tunes stand with their reviewers, by model id; absent: nobody asked."""
    items = ReviewItem.objects.filter(workspace_id=workspace_id, kind="model")
    return dict(items.values_list("subject_id", "state"))


def imports_of(workspace_id: str) -> QuerySet[BaseModelImport]:
    """Base models that the workspace has under way, and the newest that failed."""
    return BaseModelImport.objects.filter(workspace_id=workspace_id).exclude(state=ImportState.REGISTERED)


def import_of_model(model: LanguageModel) -> BaseModelImport | None:
    """Where a base model was fetched from, if it was."""
    return BaseModelImport.objects.filter(model=model).first()


def jobs_of(workspace_id: str) -> QuerySet[FineTuningJob]:
    """The workspace's jobs, newest first."""
    return FineTuningJob.objects.filter(workspace_id=workspace_id).select_related(
        "base_model", "version", "version__dataset", "model", "model__evaluation"
    )


def job_of(workspace_id: str, job_id: str) -> FineTuningJob:
    """One job of the workspace."""
    found = jobs_of(workspace_id).filter(id=job_id).first()
    if found is None:
        raise NotFound(f"There is no fine-tune {job_id} in this workspace.")
    return found


def model_of_job(job: FineTuningJob) -> LanguageModel | None:
    """The model a job made, if it got that far."""
    return LanguageModel.objects.filter(job=job).first()


def evaluation_of(model: LanguageModel) -> Evaluation | None:
    """The verdict on a model, if there is one."""
    return Evaluation.objects.filter(model=model).first()


def events_of(job: FineTuningJob) -> QuerySet[JobEvent]:
    """The job's log, oldest first, without the lines that say nothing to people."""
    return JobEvent.objects.filter(job=job).exclude(message="")


def metrics_of(job: FineTuningJob) -> QuerySet[MetricPoint]:
    """What was measured, by step."""
    return MetricPoint.objects.filter(job=job)


def running_count() -> int:
    """Jobs that hold a training slot now."""
    return (
        FineTuningJob.objects.filter(state=JobState.RUNNING, lease_until__isnull=False)
        .exclude(phase=JobPhase.RELEASE)
        .count()
    )


def jobs_waiting_for_release() -> QuerySet[FineTuningJob]:
    """Released, and waiting for an engine to answer for the model."""
    return FineTuningJob.objects.filter(state=JobState.RUNNING, phase=JobPhase.RELEASE).select_related("model")
