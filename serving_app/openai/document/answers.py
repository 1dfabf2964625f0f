"""Bodies of answers that the studio itself gives, field by field."""

from __future__ import annotations

from datasets_app.models import FileState, UploadState
from serving_app.openai.document.shapes import (
    ID,
    SECONDS,
    Schema,
    a_list,
    any_of,
    exact,
    flag,
    number,
    one_of,
    or_null,
    ref,
    text,
    whole,
)
from serving_app.openai.files import PURPOSE
from serving_app.openai.fine_tuning_bodies import NAMES
from serving_app.openai.moderations import CATEGORIES
from training_app.models import JobState

COUNT = whole(0)
STATES = [state.value for state in JobState if state != JobState.PAUSED]
ANYTHING: Schema = {"type": "object"}


def listed(kind: str) -> Schema:
    """A page of these."""
    ends = {"first_id": or_null(ID), "last_id": or_null(ID), "has_more": flag()}
    return exact({"object": one_of(["list"]), "data": a_list(ref(kind)), **ends})


def deleted(kind: str) -> Schema:
    """What is left of a thing that was deleted."""
    return exact({"id": ID, "object": one_of([kind]), "deleted": one_of([True])})


def _error() -> Schema:
    inside = exact(
        {
            "message": text(least=1, about="What is wrong, and what to do, in a sentence."),
            "type": text(least=1),
            "param": or_null(text(about="The field that it is about.")),
            "code": or_null(text(about="For programs.")),
        }
    )
    return exact({"error": inside})


def _file() -> Schema:
    return exact(
        {
            "id": ID,
            "object": one_of(["file"]),
            "bytes": COUNT,
            "created_at": SECONDS,
            "expires_at": {"type": "null"},
            "filename": text(least=1),
            "purpose": one_of([PURPOSE]),
            "status": one_of(FileState.values),
            "status_details": or_null(text(about="Why the file could not be read.")),
        }
    )


def _upload() -> Schema:
    return exact(
        {
            "id": ID,
            "object": one_of(["upload"]),
            "bytes": whole(1),
            "created_at": SECONDS,
            "expires_at": SECONDS,
            "filename": text(least=1),
            "purpose": one_of([PURPOSE]),
            "status": one_of(UploadState.values),
            "file": or_null(ref("File")),
        }
    )


def _job() -> Schema:
    settings = exact({name: any_of(one_of(["auto"]), number()) for name in NAMES})
    for_pairs = exact({name: any_of(one_of(["auto"]), number()) for name in (*NAMES, "beta")})
    method = any_of(
        exact({"type": one_of(["supervised"]), "supervised": exact({"hyperparameters": settings})}),
        exact({"type": one_of(["dpo"]), "dpo": exact({"hyperparameters": for_pairs})}),
    )
    error = exact({"code": text(), "message": text(), "param": or_null(text())})
    return exact(
        {
            "id": ID,
            "object": one_of(["fine_tuning.job"]),
            "created_at": SECONDS,
            "error": or_null(error),
            "fine_tuned_model": or_null(text(about="The model's name, once the job has succeeded.")),
            "finished_at": or_null(SECONDS),
            "hyperparameters": settings,
            "model": ID,
            "organization_id": ID,
            "result_files": a_list(ID, most=0),
            "status": one_of(STATES, "A paused job is queued, with studio_state=paused in its metadata."),
            "trained_tokens": or_null(COUNT),
            "training_file": ID,
            "validation_file": or_null(ID),
            "seed": COUNT,
            "integrations": a_list({}, most=0),
            "estimated_finish": {"type": "null"},
            "method": method,
            "metadata": {"type": "object", "additionalProperties": text()},
        }
    )


def _event() -> Schema:
    return exact(
        {
            "id": ID,
            "object": one_of(["fine_tuning.job.event"]),
            "created_at": SECONDS,
            "level": one_of(["info", "warn", "error"]),
            "message": text(),
            "type": one_of(["message", "metrics"]),
            "data": ANYTHING,
        }
    )


def _checkpoint() -> Schema:
    metrics = {"type": "object", "additionalProperties": number()}
    return exact(
        {
            "id": ID,
            "object": one_of(["fine_tuning.job.checkpoint"]),
            "created_at": SECONDS,
            "fine_tuned_model_checkpoint": ID,
            "fine_tuning_job_id": ID,
            "step_number": COUNT,
            "metrics": metrics,
        }
    )


def _moderation() -> Schema:
    result = exact(
        {
            "flagged": flag(),
            "categories": exact({name: flag() for name in CATEGORIES}),
            "category_scores": exact({name: number(0, 1) for name in CATEGORIES}),
            "category_applied_input_types": exact({name: a_list(one_of(["text"])) for name in CATEGORIES}),
        }
    )
    return exact({"id": ID, "model": ID, "results": a_list(result, least=1)})


def schemas() -> dict[str, Schema]:
    """The components that answers are made of."""
    model = exact({"id": ID, "object": one_of(["model"]), "created": SECONDS, "owned_by": ID})
    part = exact({"id": ID, "object": one_of(["upload.part"]), "created_at": SECONDS, "upload_id": ID})
    found = {
        "Error": _error(),
        "Model": model,
        "Models": exact({"object": one_of(["list"]), "data": a_list(ref("Model"))}),
        "File": _file(),
        "DeletedFile": deleted("file"),
        "DeletedModel": deleted("model"),
        "Upload": _upload(),
        "Part": part,
        "Job": _job(),
        "JobEvent": _event(),
        "JobCheckpoint": _checkpoint(),
        "Moderation": _moderation(),
    }
    lists = {f"{kind}s": listed(kind) for kind in ("File", "Job", "JobEvent", "JobCheckpoint")}
    return {**found, **lists}
