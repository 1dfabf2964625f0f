"""Writing jobs and models."""

from training_app.services.imports import (
    claim_import,
    fail_import,
    finish_import,
    hold_import,
    request_import,
)
from training_app.services.jobs import cancel_job, create_job, pause_job, resume_job
from training_app.services.models import (
    ensure_starter,
    register_base_model,
    register_fine_tune,
    request_release,
    withdraw_model,
)
from training_app.services.runs import (
    advance_job,
    beat,
    claim_job,
    fail_job,
    finish_released_job,
    record_events,
    stop_job,
)
from training_app.services.stale import move_waiting_on, requeue_stale
from training_app.services.verdicts import record_evaluation, record_safety, settle_release

__all__ = [
    "advance_job",
    "beat",
    "cancel_job",
    "claim_import",
    "claim_job",
    "create_job",
    "ensure_starter",
    "fail_import",
    "fail_job",
    "finish_import",
    "finish_released_job",
    "hold_import",
    "move_waiting_on",
    "pause_job",
    "record_evaluation",
    "record_events",
    "record_safety",
    "register_base_model",
    "register_fine_tune",
    "request_import",
    "request_release",
    "requeue_stale",
    "resume_job",
    "settle_release",
    "stop_job",
    "withdraw_model",
]
