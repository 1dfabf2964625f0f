"""Jobs, events and checkpoints in OpenAI's shapes. Pure; it reads nothing itself."""

from __future__ import annotations

from typing import Any

from training_app.models import Checkpoint, FineTuningJob, JobEvent, JobState, MetricPoint
from training_app.selectors.checkpoints import checkpoint_name

NAMES = ("n_epochs", "batch_size", "learning_rate_multiplier")
MEASURED = ("metric", "evaluation")


def _plain(value: Any) -> Any:
    """3.0 epochs are 3: the client's types know whole numbers there."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def hyperparameters_body(job: FineTuningJob) -> dict[str, Any]:
    """What was asked for; "auto" is filled in once the data is known."""
    resolved = {**job.hyperparameters, **job.requested}
    if job.hyperparameters:
        resolved.setdefault("learning_rate_multiplier", 1.0)
    return {name: _plain(resolved.get(name, "auto")) for name in NAMES}


def _error(job: FineTuningJob) -> dict[str, Any] | None:
    if not job.error:
        return None
    message = f"{job.error.get('message', '')} {job.error.get('fix', '')}".strip()
    return {"code": job.error.get("code") or "failed", "message": message, "param": job.error.get("param")}


def _status(job: FineTuningJob) -> tuple[str, dict[str, Any]]:
    """OpenAI has no word for a pause: it is shown as queued, and named in the metadata."""
    if job.state == JobState.PAUSED:
        return JobState.QUEUED.value, {**job.metadata, "studio_state": "paused"}
    return str(job.state), job.metadata


def job_body(job: FineTuningJob) -> dict[str, Any]:
    """OpenAI's fine-tuning job."""
    status, metadata = _status(job)
    done = job.state == JobState.SUCCEEDED
    made = getattr(job, "model", None)
    hyperparameters = hyperparameters_body(job)
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": int(job.created_at.timestamp()),
        "error": _error(job),
        "fine_tuned_model": made.name if done and made is not None else None,
        "finished_at": int(job.finished_at.timestamp()) if job.finished_at else None,
        "hyperparameters": hyperparameters,
        "model": job.base_model.name,
        "organization_id": job.workspace_id,
        "result_files": [],
        "status": status,
        "trained_tokens": job.trained_tokens if done else None,
        "training_file": job.training_file_id or job.version_id,
        "validation_file": job.validation_file_id,
        "seed": job.seed,
        "integrations": [],
        "estimated_finish": None,
        "method": _method(job, hyperparameters),
        "metadata": metadata,
    }


def _method(job: FineTuningJob, hyperparameters: dict[str, Any]) -> dict[str, Any]:
    """Learning from answers, or from pairs of them, which has a setting more."""
    if job.requested.get("objective") != "dpo":
        return {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}
    beta = {**job.hyperparameters, **job.requested}.get("dpo_beta", "auto")
    return {"type": "dpo", "dpo": {"hyperparameters": {**hyperparameters, "beta": beta}}}


def event_body(event: JobEvent) -> dict[str, Any]:
    """OpenAI's job event."""
    return {
        "id": event.id,
        "object": "fine_tuning.job.event",
        "created_at": int(event.at.timestamp()),
        "level": event.level,
        "message": event.message,
        "type": "metrics" if event.kind in MEASURED else "message",
        "data": event.data,
    }


def checkpoint_body(checkpoint: Checkpoint, *, model: str, point: MetricPoint | None) -> dict[str, Any]:
    """OpenAI's checkpoint, with what was measured at its step. `model`: what its fine-tune is called, or will be."""
    metrics = {"step": checkpoint.step, "valid_loss": checkpoint.validation_loss}
    if point is not None and point.loss is not None:
        metrics["train_loss"] = point.loss
    return {
        "id": checkpoint.id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": int(checkpoint.created_at.timestamp()),
        "fine_tuned_model_checkpoint": checkpoint_name(model, checkpoint.step),
        "fine_tuning_job_id": checkpoint.job_id,
        "step_number": checkpoint.step,
        "metrics": {name: value for name, value in metrics.items() if value is not None},
    }
