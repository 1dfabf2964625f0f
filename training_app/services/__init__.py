"""Writing jobs and models."""

from training_app.services.archiving import (
    archive_job,
    archive_model,
    archiving_needs,
    free_run,
    hindrance,
    register_use,
)
from training_app.services.cards import card_of
from training_app.services.deriving import derive_version
from training_app.services.exports import (
    claim_export,
    delete_export,
    fail_export,
    finish_export,
    hold_export,
    request_export,
)
from training_app.services.following import continue_study
from training_app.services.forgetting import forget_answers, forget_if_erased
from training_app.services.imports import (
    claim_import,
    fail_import,
    finish_import,
    hold_import,
    request_import,
)
from training_app.services.jobs import NOT_FINITE, cancel_job, create_job, pause_job, resume_job
from training_app.services.judging import end_comparison, judge, open_comparison, results_of, start_comparison
from training_app.services.limits import set_safety_limits
from training_app.services.measuring import (
    claim_measurement,
    fail_measurement,
    finish_measurement,
    hold_measurement,
    is_doubtful,
    request_measurement,
)
from training_app.services.models import (
    ensure_starter,
    public_name,
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
    succeed,
)
from training_app.services.stale import move_waiting_on, requeue_stale
from training_app.services.studies import (
    cancel_study,
    create_learning_curve,
    create_learning_curve_of,
    create_sweep,
    resume_study,
)
from training_app.services.survival import outlive_kill, shrink_batches, take_fewer
from training_app.services.taking import take_export, take_model
from training_app.services.verdicts import record_evaluation, record_safety, settle_release

__all__ = [
    "NOT_FINITE",
    "advance_job",
    "archive_job",
    "archive_model",
    "archiving_needs",
    "beat",
    "cancel_job",
    "cancel_study",
    "card_of",
    "claim_export",
    "claim_import",
    "claim_job",
    "claim_measurement",
    "continue_study",
    "create_job",
    "create_learning_curve",
    "create_learning_curve_of",
    "create_sweep",
    "delete_export",
    "derive_version",
    "end_comparison",
    "ensure_starter",
    "fail_export",
    "fail_import",
    "fail_job",
    "fail_measurement",
    "finish_export",
    "finish_import",
    "finish_measurement",
    "finish_released_job",
    "forget_answers",
    "forget_if_erased",
    "free_run",
    "hindrance",
    "hold_export",
    "hold_import",
    "hold_measurement",
    "is_doubtful",
    "judge",
    "move_waiting_on",
    "open_comparison",
    "outlive_kill",
    "pause_job",
    "public_name",
    "record_evaluation",
    "record_events",
    "record_safety",
    "register_base_model",
    "register_fine_tune",
    "register_use",
    "request_export",
    "request_import",
    "request_measurement",
    "request_release",
    "requeue_stale",
    "results_of",
    "resume_job",
    "resume_study",
    "set_safety_limits",
    "settle_release",
    "shrink_batches",
    "start_comparison",
    "stop_job",
    "succeed",
    "take_export",
    "take_fewer",
    "take_model",
    "withdraw_model",
]
