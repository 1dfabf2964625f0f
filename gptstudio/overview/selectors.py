"""Reading across all apps: what stands beside the side's places, how much there is, what waits for someone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Case, Count, Model, Q, QuerySet, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from datasets_app.models import Dataset, DatasetFile, DatasetVersion, FileState, VersionState
from gptstudio.accounts.models import ApiKey, Workspace
from gptstudio.accounts.policies import Actor
from gptstudio.audit.models import AuditEvent
from gptstudio.audit.selectors import events_of
from gptstudio.core.counting import count_of
from gptstudio.review.models import ReviewItem, ReviewState
from gptstudio.web import navigation
from serving_app import selectors as serving
from serving_app.models import Completion, CompletionState, Deployment
from training_app.models import (
    BaseModelImport,
    ExportState,
    FineTuningJob,
    ImportState,
    JobState,
    LanguageModel,
    ModelExport,
    ModelKind,
)
from training_app.selectors.choosing import models_to_choose

FRESH = timedelta(days=3)
MOST_RUNNING = 10
LATELY = (
    "dataset.created", "file.uploaded", "version.ready", "version.erased", "job.created", "model.made", "review.approved",
    "review.rejected", "deployment.created", "deployment.updated", "deployment.rolled_back", "deployment.retired",
    "base_model.registered", "member.joined", "price.set", "budget.set",
)  # fmt: skip
# Kinds of review items whose subjects everybody in the workspace sees.
SEEN_BY_ALL = ("model", "version")
ACTIVE = (JobState.VALIDATING_FILES, JobState.QUEUED, JobState.RUNNING)
WHICH = "the workspace that is asked for"


@dataclass(frozen=True, slots=True)
class Tally:
    """How much of everything a workspace has."""

    datasets: int = 0
    versions: int = 0
    building: int = 0
    jobs: int = 0
    running: int = 0
    models: int = 0
    pending: int = 0
    deployments: int = 0
    keys: int = 0


SIDE = ("datasets", "running", "models", "deployments", "keys", "pending")


@cache
def _counting(only: tuple[str, ...]) -> tuple[str, tuple[Any, ...], tuple[str, ...]]:
    """The one query of `tally`, with WHICH among its parameters, and what each column counts. Every page asks it, and Django
    takes ten times longer to write it than a database to answer: so it is written once.
    """
    mine = "workspace_id"
    versions = DatasetVersion.objects.filter(dataset__archived_at__isnull=True)
    counted: dict[str, Coalesce] = {
        "datasets": count_of(Dataset.objects.filter(archived_at__isnull=True), mine),
        "versions": count_of(versions, "dataset__workspace_id"),
        "building": count_of(
            versions.filter(state__in=[VersionState.QUEUED, VersionState.BUILDING]), "dataset__workspace_id"
        ),
        "jobs": count_of(FineTuningJob.objects.filter(study=None, archived_at__isnull=True), mine),
        "running": count_of(FineTuningJob.objects.filter(state__in=ACTIVE), mine),
        "models": count_of(LanguageModel.objects.filter(kind=ModelKind.FINE_TUNE, archived_at__isnull=True), mine),
        "pending": count_of(ReviewItem.objects.filter(state=ReviewState.PENDING), mine),
        "deployments": count_of(Deployment.objects.filter(retired_at__isnull=True), mine),
        "keys": count_of(
            ApiKey.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=Now()), revoked_at__isnull=True), mine
        ),
    }
    aliased = {f"n_{name}": query for name, query in counted.items() if not only or name in only}
    rows = Workspace.objects.filter(id=WHICH).annotate(**aliased).values_list(*aliased)
    sql, parameters = rows.query.sql_with_params()
    return sql, tuple(parameters), tuple(name.removeprefix("n_") for name in aliased)


def tally(workspace_id: str, only: tuple[str, ...] = ()) -> Tally:
    """All counts in one query; with `only` no others than these are counted."""
    sql, parameters, names = _counting(only)
    with connection.cursor() as cursor:
        cursor.execute(sql, [workspace_id if each == WHICH else each for each in parameters])
        found = cursor.fetchone() or (0,) * len(names)
    return Tally(**dict(zip(names, found, strict=True)))


def side_counts(workspace_id: str) -> dict[str, navigation.Count]:
    """What stands beside the places in the side."""
    found = tally(workspace_id, SIDE)
    shown: dict[str, tuple[str, bool]] = {
        "datasets": (str(found.datasets or ""), False),
        "jobs": (f"{found.running} running" if found.running else "", False),
        "models": (str(found.models or ""), False),
        "deployments": (str(found.deployments or ""), False),
        "keys": (str(found.keys or ""), False),
        "review": (str(found.pending or ""), bool(found.pending)),
    }
    return {key: navigation.Count(text, hot) for key, (text, hot) in shown.items() if text}


def callable_names(workspace_id: str, also: Collection[str] = ()) -> list[str]:
    """Deployments, base models and released fine-tunes by the names that programs call; see `models_to_choose`."""
    models = [each.name for each in models_to_choose(workspace_id, also=also)]
    return [*serving.deployments_of(workspace_id).values_list("name", flat=True), *models]


def running_jobs(workspace_id: str) -> list[FineTuningJob]:
    """Fine-tunes that are not over: those that run, then those that wait, the newest first."""
    waits = Case(When(state=JobState.RUNNING, then=0), default=1)
    rows = FineTuningJob.objects.filter(workspace_id=workspace_id, state__in=ACTIVE).order_by(waits, "-created_at")
    return list(rows.select_related("base_model", "version__dataset")[:MOST_RUNNING])


def not_under_way(workspace_id: str, ids: Collection[str]) -> set[str]:
    """Those of these that are no fine-tunes under way: such may only have moved behind the last that is shown."""
    rows = FineTuningJob.objects.filter(workspace_id=workspace_id, state__in=ACTIVE, id__in=ids)
    return set(ids) - set(rows.values_list("id", flat=True)) if ids else set()


def other_work(workspace_id: str) -> list[Any]:
    """What else workers have to do: files to read, versions, exports and models on their way from a hub."""
    files = DatasetFile.objects.filter(
        dataset__workspace_id=workspace_id, state=FileState.UPLOADED, archived_at__isnull=True
    )
    versions = DatasetVersion.objects.filter(
        dataset__workspace_id=workspace_id, state__in=[VersionState.QUEUED, VersionState.BUILDING]
    )
    exports = ModelExport.objects.filter(
        model__workspace_id=workspace_id, state__in=[ExportState.QUEUED, ExportState.RUNNING]
    )
    imports = BaseModelImport.objects.filter(
        workspace_id=workspace_id, state__in=[ImportState.QUEUED, ImportState.DOWNLOADING]
    )
    rows = (
        files.select_related("dataset"),
        versions.select_related("dataset"),
        exports.select_related("model"),
        imports,
    )
    return [each for found in rows for each in found[:MOST_RUNNING]]


def lately(actor: Actor, limit: int = 6) -> list[AuditEvent]:
    """The newest acts that changed what the actor sees, too. Of reviews, what everybody sees waiting."""
    acts = events_of(actor.workspace_id).filter(action__in=LATELY)
    if not actor.may("reviews.view"):
        acts = acts.exclude(Q(action__startswith="review.") & ~Q(subject_kind__in=SEEN_BY_ALL))
    return list(acts[:limit])


def pending_reviews(actor: Actor) -> QuerySet[ReviewItem]:
    """What waits for a reviewer, newest first. What somebody's words were stopped for is for reviewers alone."""
    waiting = ReviewItem.objects.filter(workspace_id=actor.workspace_id, state=ReviewState.PENDING)
    return waiting if actor.may("reviews.view") else waiting.filter(kind__in=SEEN_BY_ALL)


def _recent(workspace_id: str, model: type[Model], path: str, state: str) -> QuerySet[Any]:
    since = timezone.now() - FRESH
    return model._default_manager.filter(**{path: workspace_id, "state": state, "finished_at__gt": since})


def failed_jobs(workspace_id: str, limit: int = 3) -> list[FineTuningJob]:
    """Fine-tunes that failed in the last days; those of a study are the study's own concern."""
    rows = _recent(workspace_id, FineTuningJob, "workspace_id", JobState.FAILED)
    return list(rows.filter(study=None, archived_at__isnull=True).select_related("created_by")[:limit])


def failed_versions(workspace_id: str, limit: int = 3) -> list[DatasetVersion]:
    """Versions that could not be made in the last days."""
    rows = _recent(workspace_id, DatasetVersion, "dataset__workspace_id", VersionState.FAILED)
    return list(rows.select_related("dataset", "created_by")[:limit])


def unasked_models(workspace_id: str, limit: int = 3) -> list[LanguageModel]:
    """Evaluated fine-tunes whose release nobody has asked for."""
    asked = ReviewItem.objects.filter(workspace_id=workspace_id, kind="model").values("subject_id")
    rows = LanguageModel.objects.filter(
        workspace_id=workspace_id, kind=ModelKind.FINE_TUNE, archived_at__isnull=True, evaluation__isnull=False
    )
    return list(rows.exclude(id__in=asked).select_related("evaluation", "job__created_by")[:limit])


def answers_today(workspace_id: str) -> dict[str, Any]:
    """Requests since midnight: how many, how many failed, and half of them began to answer faster than `first_ms`."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Completion.objects.filter(workspace_id=workspace_id, model__isnull=False, created_at__gte=midnight)
    sums = rows.aggregate(
        answered=Count("id", filter=Q(state=CompletionState.COMPLETED)),
        failed=Count("id", filter=Q(state=CompletionState.FAILED)),
    )
    recent = rows.filter(first_token_ms__isnull=False).order_by("-created_at")
    waits = sorted(wait for wait in recent.values_list("first_token_ms", flat=True)[:999] if wait is not None)
    return {**sums, "first_ms": waits[len(waits) // 2] if waits else None, "since": midnight}


def latest(rows: QuerySet[Any], keep: Callable[[Any], bool] = bool) -> Any:
    """The first row that is worth showing, or None."""
    return next((row for row in rows if keep(row)), None)


def versions_with(workspace_id: str, *, file_ids: Iterable[str] = (), dataset_id: str = "") -> QuerySet[DatasetVersion]:
    """Versions made from these files, or of this data set; erased ones too, for models descend from them."""
    rows = DatasetVersion.objects.filter(dataset__workspace_id=workspace_id)
    wanted = Q(files__in=list(file_ids)) | (Q(dataset_id=dataset_id) if dataset_id else Q(pk__in=[]))
    return rows.filter(wanted).distinct()


def versions_by_id(workspace_id: str, ids: Iterable[str]) -> list[DatasetVersion]:
    """These versions with their files, oldest first."""
    rows = DatasetVersion.objects.filter(dataset__workspace_id=workspace_id, id__in=list(ids))
    return list(rows.select_related("dataset").prefetch_related("files").defer("report").order_by("created_at", "id"))


def models_from(workspace_id: str, version_ids: Iterable[str]) -> list[LanguageModel]:
    """Models that learnt from these versions, and those that were tuned further from them, oldest first."""
    mine = LanguageModel.objects.filter(workspace_id=workspace_id).select_related("job", "base")
    found = {model.id: model for model in mine.filter(job__version_id__in=list(version_ids))}
    newest = list(found)
    while newest:
        further = [model for model in mine.filter(base_id__in=newest) if model.id not in found]
        found |= {model.id: model for model in further}
        newest = [model.id for model in further]
    return sorted(found.values(), key=lambda model: (model.created_at, model.id))


def line_above(model: LanguageModel) -> list[LanguageModel]:
    """The model and what it was tuned from, the nearest first."""
    line = [model]
    while line[-1].base_id is not None and len(line) < 50:
        line.append(LanguageModel.objects.select_related("job", "base").get(id=line[-1].base_id))
    return line


def deployments_with(workspace_id: str, model_ids: Iterable[str]) -> list[tuple[Deployment, list[str]]]:
    """Deployments in service that answer with one of these models now, each with which."""
    wanted = set(model_ids)
    found = []
    for revision in serving.in_force(workspace_id):
        used = [target["model"] for target in revision.targets if target["model"] in wanted]
        if used:
            found.append((revision.deployment, used))
    return found


def deployed_as(model: LanguageModel) -> str:
    """Which deployment answers with a model now, as a sentence; empty where none does."""
    found = deployments_with(model.workspace_id or "", [model.id])
    return f"The deployment {found[0][0].name} answers with it: change or retire that first." if found else ""


def kept_paths(*, until: datetime) -> Iterator[tuple[str, str]]:
    """What rows that stood then and stand now say is kept below the home, of all workspaces: its path, and what it is."""
    files = DatasetFile.objects.filter(erased_at=None, archived_at=None, created_at__lte=until)
    for digest, name in files.values_list("digest", "name").iterator():
        yield f"uploads/{digest}", f"the upload {name}"
    versions = DatasetVersion.objects.filter(state=VersionState.READY, erased_at=None, finished_at__lte=until)
    for version in versions.values_list("id", flat=True).iterator():
        yield f"versions/{version}", f"the version {version}"
    models = LanguageModel.objects.filter(archived_at=None, created_at__lte=until)
    for digest, name in models.values_list("digest", "name").iterator():
        yield f"artifacts/{digest}", f"the model {name}"
