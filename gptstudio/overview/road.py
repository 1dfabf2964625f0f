"""Where a thing stands on the road: what came before it, what came of it. Written for the frame's strip."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from datasets_app import selectors as data
from datasets_app.models import Dataset, DatasetVersion, VersionState
from gptstudio.overview.selectors import deployments_with
from gptstudio.review.models import ReviewItem, ReviewState
from gptstudio.review.selectors import item_about
from gptstudio.web.road import Builder, Step, steps
from serving_app import selectors as serving
from serving_app.models import Deployment
from training_app import selectors as training
from training_app.models import Evaluation, FineTuningJob, JobPhase, JobState, LanguageModel, ModelKind

Says = dict[str, tuple[str, str]]
# The step of the road that a fine-tune's phase after training stands on.
LATER: dict[str, str] = {JobPhase.EVALUATE: "evaluate", JobPhase.SAFETY: "evaluate", JobPhase.RELEASE: "release"}


@dataclass(slots=True)
class Line:
    """One line of descent, as far as it is known."""

    workspace_id: str
    dataset: Dataset | None = None
    version: DatasetVersion | None = None
    job: FineTuningJob | None = None
    model: LanguageModel | None = None
    evaluation: Evaluation | None = None
    review: ReviewItem | None = None
    deployments: list[Deployment] = field(default_factory=list)


def _forward(line: Line) -> Line:
    """What came of the furthest thing that is known."""
    if line.version is None and line.dataset is not None:
        _newest(line, line.dataset)
    if line.job is None and line.version is not None:
        line.job = training.jobs_of(line.workspace_id).filter(version=line.version).first()
    if line.model is None and line.job is not None:
        line.model = getattr(line.job, "model", None)
    if line.model is not None:
        line.evaluation = getattr(line.model, "evaluation", None)
        line.review = item_about(line.model.id, kind="model")
        line.deployments = [each for each, _used in deployments_with(line.workspace_id, [line.model.id])]
    return line


def _newest(line: Line, dataset: Dataset) -> None:
    """The newest fine-tune on any of the data set's versions, else its newest version."""
    line.job = training.jobs_of(line.workspace_id).filter(version__dataset=dataset).first()
    if line.job is not None:
        line.version = line.job.version
    else:
        line.version = data.versions_of(line.workspace_id).filter(dataset=dataset).first()


def _upload(line: Line) -> tuple[str, str]:
    if line.dataset is None:
        return "–", ""
    address = reverse("datasets:dataset", args=[line.dataset.id])
    files = len(data.kept_files(line.dataset))
    return f"{line.dataset.name}, {files} file{'' if files == 1 else 's'}", address


def _curate(line: Line) -> tuple[str, str]:
    if line.version is None:
        return "not yet", ""
    says = line.version.get_state_display().lower()
    if line.version.state == VersionState.READY:
        says = f"{line.version.report.get('rows', {}).get('kept', 0):,} rows kept"
    address = reverse("datasets:version", args=[line.version.id])
    return f"version {line.version.number}, {says}", address


def _train(line: Line) -> tuple[str, str]:
    if line.job is None:
        ready = line.version is not None and line.version.state == VersionState.READY
        if not ready:
            return "not yet", ""
        return "not yet: start one", f"{reverse('training:job-new')}?version={line.version.id}"  # type: ignore[union-attr]
    says = line.job.get_state_display().lower()
    finished = line.job.plan.get("finished", {})
    if (line.job.state == JobState.SUCCEEDED or line.job.phase in LATER) and finished.get("steps"):
        says = f"{finished['steps']:,} steps"
    elif line.job.state == JobState.RUNNING:
        says = line.job.get_phase_display().lower()
    return says, reverse("training:job", args=[line.job.id])


def _evaluate(line: Line) -> tuple[str, str]:
    if line.job is not None and line.job.state == JobState.RUNNING and LATER.get(line.job.phase) == "evaluate":
        return line.job.get_phase_display().lower(), reverse("training:job", args=[line.job.id])
    if line.model is None or line.evaluation is None:
        return "–", ""
    says = f"{line.evaluation.rows:,} test rows"
    if line.job is not None:
        return says, reverse("training:job-verdict", args=[line.job.id])
    return says, reverse("training:model", args=[line.model.id])


def _release(line: Line) -> tuple[str, str]:
    if line.model is None:
        return "–", ""
    address = reverse("training:model", args=[line.model.id])
    if line.model.kind == ModelKind.BASE:
        return "released when registered", address
    if line.model.archived_at is not None:
        return "put away", address
    words = {ReviewState.PENDING: "waits for a reviewer", ReviewState.APPROVED: "released"}
    state = line.review.state if line.review else ""
    return words.get(state, "rejected" if state else "not asked"), address  # type: ignore[call-overload]


def _serve(line: Line) -> tuple[str, str]:
    if line.deployments:
        first = line.deployments[0]
        more = f" and {len(line.deployments) - 1} more" if len(line.deployments) > 1 else ""
        return f"{first.name}{more}", reverse("serving:deployment", args=[first.id])
    released = line.review is not None and line.review.state == ReviewState.APPROVED
    if line.model is not None and released:
        return "by its own name", f"{reverse('serving:playground')}?model={line.model.name}"
    return "–", ""


def _strip(line: Line, here: str) -> list[Step]:
    says: Says = {
        "upload": _upload(line),
        "curate": _curate(line),
        "train": _train(line),
        "evaluate": _evaluate(line),
        "release": _release(line),
        "serve": _serve(line),
    }
    tones = {}
    if line.version is not None and line.version.state == VersionState.FAILED:
        tones["curate"] = "bad"
    if line.review is not None and line.review.state == ReviewState.PENDING:
        tones["release"] = "warn"
    if line.job is not None and line.job.state == JobState.FAILED:
        tones[LATER.get(line.job.phase, "train")] = "bad"
    return steps(says, here=here, tones=tones)


def of_dataset(dataset: Dataset) -> list[Step]:
    """A data set: its newest version, and what came of it."""
    return _strip(_forward(Line(dataset.workspace_id, dataset=dataset)), "upload")


def of_version(version: DatasetVersion) -> list[Step]:
    """A version: the newest fine-tune on it, and what came of that."""
    line = Line(version.dataset.workspace_id, dataset=version.dataset, version=version)
    return _strip(_forward(line), "curate")


def _of_job(job: FineTuningJob) -> Line:
    dataset = job.version.dataset if job.version is not None else None
    return _forward(Line(job.workspace_id, dataset=dataset, version=job.version, job=job))


def of_job(job: FineTuningJob) -> list[Step]:
    """A fine-tune."""
    here = "evaluate" if job.state == JobState.SUCCEEDED else LATER.get(job.phase, "train")
    return _strip(_of_job(job), here)


def of_model(model: LanguageModel) -> list[Step]:
    """A model: the data it learnt from, and where it answers."""
    if model.job is None:
        line = Line(model.workspace_id or "", model=model)
        return _strip(line, "release")
    line = _of_job(model.job)
    return _strip(line, "release")


def of_deployment(deployment: Any) -> list[Step]:
    """A deployment: the road of its heaviest model."""
    targets = serving.current_revision(deployment).targets
    heaviest = max(targets, key=lambda target: target["weight"])["model"]
    model = training.models_of(deployment.workspace_id).filter(id=heaviest).select_related("job__version__dataset")
    found = model.first()
    line = Line(deployment.workspace_id, model=found) if found is None or found.job is None else _of_job(found.job)
    line.deployments = [deployment]
    return _strip(line, "serve")


BUILDERS: dict[str, Builder] = {
    "dataset": of_dataset,
    "version": of_version,
    "job": of_job,
    "model": of_model,
    "deployment": of_deployment,
}
