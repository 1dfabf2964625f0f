"""The way onto the work queue: by name, after commit, with an id and nothing else."""

from __future__ import annotations

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def _send(task: str, subject_id: str, queue: str) -> None:
    try:
        current_app.send_task(task, args=[subject_id], queue=queue)
    except (OperationalError, OSError) as error:
        # The database holds the truth and the reconciler sends again, so a broker that is away costs time, not work.
        logger.warning("the broker did not take %s for %s (%s); the reconciler will send it", task, subject_id, error)


def enqueue(task: str, subject_id: str, *, queue: str = "cpu") -> None:
    """Wake a worker for `subject_id` once the running transaction has committed."""
    transaction.on_commit(partial(_send, task, subject_id, queue), robust=True)
