"""Writing data sets, files and versions."""

from datasets_app.services.datasets import archive_dataset, create_dataset, register_tokenizer
from datasets_app.services.files import add_file, archive_file, claim_file, fail_file, finish_file, hold_file
from datasets_app.services.stale import requeue_stale
from datasets_app.services.versions import (
    cancel_version,
    claim_version,
    create_version,
    fail_version,
    finish_version,
    note_progress,
    request_version_review,
    retry_version,
)

__all__ = [
    "add_file",
    "archive_dataset",
    "archive_file",
    "cancel_version",
    "claim_file",
    "claim_version",
    "create_dataset",
    "create_version",
    "fail_file",
    "fail_version",
    "finish_file",
    "finish_version",
    "hold_file",
    "note_progress",
    "register_tokenizer",
    "request_version_review",
    "requeue_stale",
    "retry_version",
]
