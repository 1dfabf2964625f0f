"""Reading jobs and models."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Case, Count, Max, Q, QuerySet, When

from gptstudio.core.errors import NotFound
from gptstudio.core.statements import Reading
from gptstudio.review.models import ReviewItem, ReviewState
from gptstudio.review.selectors import is_cleared
from training_app.models import (
    BlindComparison,
    BlindJudgement,
    Checkpoint,
    Evaluation,
    FineTuningJob,
    JobEvent,
    JobPhase,
    JobState,
    LanguageModel,
    Measurement,
    MetricPoint,
    ModelKind,
    SafetyLimits,
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
    return _models(workspace_id).filter(archived_at__isnull=True)


def _models(workspace_id: str) -> QuerySet[LanguageModel]:
    seen = LanguageModel.objects.filter(Q(workspace_id=workspace_id) | Q(workspace_id=None))
    return seen.select_related("base", "job", "evaluation").order_by("kind", "-created_at", "-id")


def instructions_of_models(workspace_id: str, model_ids: Iterable[str]) -> dict[str, str]:
    """By id of these models: the instructions that stood before every row that the model learnt from."""
    told = _taught(workspace_id, model_ids).values_list("id", "job__version__recipe__system_prompt")
    return {model_id: said for model_id, said in told if said}


def questions_of_models(workspace_id: str, model_ids: Iterable[str]) -> dict[str, list[str]]:
    """By id of these models: the questions that the data set began with which the model learnt from."""
    asked = _taught(workspace_id, model_ids).values_list("id", "job__version__dataset__aim__questions")
    return {model_id: questions for model_id, questions in asked if questions}


def _taught(workspace_id: str, model_ids: Iterable[str]) -> QuerySet[LanguageModel]:
    mine = LanguageModel.objects.filter(workspace_id=workspace_id, id__in=list(model_ids))
    return mine.filter(job__version__isnull=False)


def base_models_of(workspace_id: str) -> QuerySet[LanguageModel]:
    """Models that nobody here has taught, the starter first."""
    return models_of(workspace_id).filter(kind=ModelKind.BASE).order_by("created_at", "id")


def starts_of(workspace_id: str) -> QuerySet[LanguageModel]:
    """What a fine-tune can start from: base models, the starter first, then the workspace's own fine-tunes, the newest first."""
    return models_of(workspace_id).order_by(
        "kind", Case(When(kind=ModelKind.BASE, then="created_at")), "-created_at", "id"
    )


def start_of(workspace_id: str, model_id: str) -> LanguageModel:
    """One model that a fine-tune can start from."""
    found = starts_of(workspace_id).filter(id=model_id).first()
    if found is None:
        raise NotFound(f"There is no model {model_id} in this workspace to start from.")
    return found


def model_of(workspace_id: str, model_id: str) -> LanguageModel:
    """One model that the workspace may see. One that was put away stays readable: others may descend from it."""
    found = _models(workspace_id).filter(id=model_id).first()
    if found is None:
        raise NotFound(f"There is no model {model_id} in this workspace.")
    return found


def model_to_verify(model_id: str) -> LanguageModel:
    """One model, in whichever workspace, archived ones too."""
    found = LanguageModel.objects.select_related("base", "job__version__dataset", "job__base_model").filter(id=model_id)
    if (model := found.first()) is None:
        raise NotFound(f"There is no model {model_id}.")
    return model


def base_model_of(workspace_id: str, model_id: str) -> LanguageModel:
    """One base model that the workspace may see."""
    found = base_models_of(workspace_id).filter(id=model_id).first()
    if found is None:
        raise NotFound(f"There is no base model {model_id} in this workspace.")
    return found


def model_named(workspace_id: str, name: str) -> LanguageModel | None:
    """A model by the name that programs call it by."""
    return models_of(workspace_id).filter(name=name).first()


def model_asked(workspace_id: str, name: str) -> LanguageModel | None:
    """The same for the path of every request: the bare model, which nobody may change or follow from."""
    return next(iter(_ASKED.objects(workspace_id, name)), None)


def made_from(model: LanguageModel) -> QuerySet[LanguageModel]:
    """What was tuned from a model and is not put away, the oldest first."""
    return LanguageModel.objects.filter(base=model, archived_at__isnull=True).order_by("created_at", "id")


def start_named(workspace_id: str, name: str) -> LanguageModel:
    """What a fine-tune can start from, by name."""
    found = starts_of(workspace_id).filter(name=name).first()
    if found is None:
        known = ", ".join(base_models_of(workspace_id).values_list("name", flat=True))
        message, fix = f"There is no model {name!r}.", f"Base models here: {known}; fine-tunes by their own names."
        raise NotFound(message, fix=fix, code="model_not_found", param="model")
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
    approved = ReviewItem.objects.filter(workspace_id=workspace_id, kind="model", state=ReviewState.APPROVED)
    return set(approved.values_list("subject_id", flat=True))


def release_states(workspace_id: str, model_ids: Iterable[str]) -> dict[str, str]:
    """How these fine-tunes stand with the workspace's reviewers, by model id; absent: nobody asked."""
    items = ReviewItem.objects.filter(workspace_id=workspace_id, kind="model", subject_id__in=list(model_ids))
    return dict(items.values_list("subject_id", "state"))


def jobs_of(workspace_id: str) -> QuerySet[FineTuningJob]:
    """The workspace's jobs, newest first, without the runs of studies and those that were put away."""
    return _jobs(workspace_id).filter(study=None, archived_at__isnull=True)


def _jobs(workspace_id: str) -> QuerySet[FineTuningJob]:
    joined = ("base_model", "version", "version__dataset", "model", "model__evaluation", "study")
    return FineTuningJob.objects.filter(workspace_id=workspace_id).select_related(*joined)


def job_of(workspace_id: str, job_id: str) -> FineTuningJob:
    """One job of the workspace, a run of a study or not."""
    found = _jobs(workspace_id).filter(id=job_id).first()
    if found is None:
        raise NotFound(f"There is no fine-tune {job_id} in this workspace.")
    return found


def model_of_job(job: FineTuningJob) -> LanguageModel | None:
    """The model a job made, if it got that far."""
    return LanguageModel.objects.filter(job=job).first()


def evaluation_of(model: LanguageModel) -> Evaluation | None:
    """The verdict on a model, if there is one."""
    return Evaluation.objects.filter(model=model).first()


def evaluations_of(workspace_id: str) -> QuerySet[Evaluation]:
    """The workspace's evaluations."""
    return Evaluation.objects.filter(model__workspace_id=workspace_id).select_related("model", "version__dataset")


def newest_evaluations(workspace_id: str, *, most: int) -> QuerySet[Evaluation]:
    """The newest of them, without what they found: for choosing one."""
    ids = Evaluation.objects.filter(model__workspace_id=workspace_id).order_by("-created_at", "-id").values("id")
    found = Evaluation.objects.filter(id__in=list(ids.values_list("id", flat=True)[:most])).select_related("model")
    return found.defer("result", "safety", "base_scores", "tuned_scores").order_by("-created_at", "-id")


def evaluation_with_id(workspace_id: str, evaluation_id: str) -> Evaluation:
    """One evaluation of the workspace."""
    found = evaluations_of(workspace_id).filter(id=evaluation_id).first()
    if found is None:
        raise NotFound(f"There is no evaluation {evaluation_id} in this workspace.")
    return found


def safety_limits_of(workspace_id: str) -> SafetyLimits:
    """The workspace's own limits of the safety report; an unsaved row where it has none."""
    found = SafetyLimits.objects.filter(workspace_id=workspace_id).first()
    return found or SafetyLimits(workspace_id=workspace_id)


def comparisons_of(workspace_id: str) -> QuerySet[BlindComparison]:
    """The workspace's blind comparisons, newest first."""
    names = ("first__model__base", "second__model__base", "first__version__dataset", "second__version__dataset")
    return BlindComparison.objects.filter(workspace_id=workspace_id).select_related(*names)


def comparison_of(workspace_id: str, comparison_id: str) -> BlindComparison:
    """One blind comparison of the workspace."""
    found = comparisons_of(workspace_id).filter(id=comparison_id).first()
    if found is None:
        raise NotFound(f"There is no comparison {comparison_id} in this workspace.")
    return found


def judgements_by(comparison: BlindComparison, user_id: str) -> set[int]:
    """The numbers of the rows that this person has judged."""
    return set(comparison.judgements.filter(judge_id=user_id).values_list("number", flat=True))


def judged_by(user_id: str, comparison_ids: list[str]) -> dict[str, int]:
    """How many rows this person has judged, by comparison."""
    mine = BlindJudgement.objects.filter(judge_id=user_id, comparison_id__in=comparison_ids)
    return dict(mine.values_list("comparison_id").annotate(rows=Count("id")).order_by())


def events_of(job: FineTuningJob) -> QuerySet[JobEvent]:
    """The job's log, oldest first, without the lines that say nothing to people."""
    return JobEvent.objects.filter(job=job).exclude(message="")


def judging_took(job: FineTuningJob) -> float | None:
    """Seconds that comparing and checking its model took; None unless each was done in one go."""
    lines = JobEvent.objects.filter(job=job, phase__in=(JobPhase.EVALUATE, JobPhase.SAFETY)).order_by("at", "id")
    at = list(lines.filter(kind__in=("started", "finished")).values_list("kind", "at"))
    if [kind for kind, _ in at] != ["started", "finished"] * 2:
        return None
    return float(sum((end - begin).total_seconds() for (_, begin), (_, end) in zip(at[::2], at[1::2], strict=True)))


def metrics_of(job: FineTuningJob) -> QuerySet[MetricPoint]:
    """What was measured, by step."""
    return MetricPoint.objects.filter(job=job)


def measurement_by(workspace_id: str, *, kind: str, key: str) -> Measurement | None:
    """What was asked to be measured, under the key of all that it depends on."""
    return Measurement.objects.filter(workspace_id=workspace_id, kind=kind, key=key).first()


def _holding() -> QuerySet[FineTuningJob]:
    """Jobs that hold a training slot now."""
    held = FineTuningJob.objects.filter(state=JobState.RUNNING, lease_until__isnull=False)
    return held.exclude(phase=JobPhase.RELEASE)


def running_count() -> int:
    """How many jobs hold a training slot now."""
    return _holding().count()


def running_by_workspace() -> dict[str, int]:
    """The same by workspace."""
    rows = _holding().order_by().values("workspace_id").annotate(count=Count("id"))
    return {row["workspace_id"]: row["count"] for row in rows}


def last_started_by_workspace() -> dict[str, datetime]:
    """When each workspace was last given a slot."""
    started = FineTuningJob.objects.filter(started_at__isnull=False).order_by()
    rows = started.values("workspace_id").annotate(last=Max("started_at"))
    return {row["workspace_id"]: row["last"] for row in rows}


def waiting_jobs() -> list[tuple[str, str]]:
    """Jobs that wait for a slot, with their workspaces, in the order in which they were asked for."""
    idle = Q(state=JobState.RUNNING, lease_until__isnull=True) & ~Q(phase=JobPhase.RELEASE)
    waiting = FineTuningJob.objects.filter(Q(state=JobState.QUEUED) | idle)
    return list(waiting.order_by("created_at", "id").values_list("id", "workspace_id"))


def jobs_waiting_for_release() -> QuerySet[FineTuningJob]:
    """Released, and waiting for an engine to answer for the model."""
    return FineTuningJob.objects.filter(state=JobState.RUNNING, phase=JobPhase.RELEASE).select_related("model")
