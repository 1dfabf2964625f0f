"""Texts of requests: kept where the workspace wants it, scrubbed of personal data before they are written, and deleted
when their time is over. Without that wish nothing of what is said is written anywhere.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from threading import BoundedSemaphore
from typing import Any

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record as audit
from serving_app import selectors
from serving_app.guardrails.guard import Guard
from serving_app.guardrails.record import Record, scrubbed_texts
from serving_app.models import Guardrails, KeptTexts
from serving_app.services.admitted import Admission
from serving_app.services.trips import after_answers, queue_for_ledger

logger = logging.getLogger(__name__)


MOST_CHARACTERS = 256 * 1024  # of all answers to one request
MOST_WAITING = 200
_places = BoundedSemaphore(MOST_WAITING)


def recording(admission: Admission) -> Record | None:
    """What gathers this request's answers; None where they are not kept."""
    return Record() if admission.keeps else None


def keep(admission: Admission, record: Record | None) -> None:
    """Have an answered request's texts written down. Nobody waits for it, and where too much waits already, or answers
    are too long, they are not written.
    """
    guard = admission.guard
    if record is None or guard is None or not record.answers:
        return
    answers, attempt_id = record.answers, admission.attempt_id
    if _length(answers) > MOST_CHARACTERS or not _places.acquire(blocking=False):
        logger.warning("the texts of %s were not kept: they are too many", attempt_id)
        return
    after_answers(lambda: _keep(admission, answers, guard)).add_done_callback(partial(_end, attempt_id))


def _length(answers: list[dict[str, Any]]) -> int:
    calls = (call for each in answers for call in each["calls"])
    return sum(len(each["content"]) for each in answers) + sum(len(call["arguments"]) for call in calls)


def _keep(admission: Admission, answers: list[dict[str, Any]], guard: Guard) -> None:
    """Scrub and write."""
    question, found = scrubbed_texts(admission.body, answers, guard.personal)
    queue_for_ledger(
        lambda: keep_texts(
            workspace_id=admission.caller.workspace.id,
            request_id=admission.attempt_id,
            question=question,
            answers=found,
        )
    ).result()


def _end(attempt_id: str, kept: Future[None]) -> None:
    """A failure leaves the texts unwritten. What it says may quote them."""
    _places.release()
    if error := kept.exception():
        logger.warning("the texts of %s were not kept: %s", attempt_id, type(error).__name__)


@transaction.atomic
def keep_texts(*, workspace_id: str, request_id: str, question: dict[str, Any], answers: list[dict[str, Any]]) -> None:
    """Write scrubbed texts down, unless the workspace has stopped keeping them since the request came."""
    wanted = Guardrails.objects.select_for_update().filter(workspace_id=workspace_id, keep_days__isnull=False)
    if not list(wanted):
        return
    KeptTexts.objects.create(workspace_id=workspace_id, request_id=request_id, question=question, answers=answers)


@transaction.atomic
def read_texts(actor: Actor, *, workspace_id: str, request_id: str) -> KeptTexts:
    """One request's texts. Who read them is written down."""
    require(actor, "reviews.view", workspace_id=workspace_id)
    texts = selectors.texts_of(workspace_id, request_id)
    audit(
        actor,
        workspace_id=workspace_id,
        action="texts.read",
        subject_kind="request",
        subject_id=request_id,
        subject_label=request_id,
    )
    return texts


@transaction.atomic
def delete_texts(actor: Actor, *, texts: KeptTexts) -> None:
    """Delete one request's texts; the request itself and its bill stay."""
    require(actor, "data.erase", workspace_id=texts.workspace_id)
    audit(
        actor,
        workspace_id=texts.workspace_id,
        action="texts.deleted",
        subject_kind="request",
        subject_id=texts.request_id,
        subject_label=texts.request_id,
    )
    texts.delete()


def drop_old_texts() -> int:
    """Delete what is older than its workspace keeps texts, and all where it keeps none; how many."""
    keeping = selectors.days_of_keeping()
    deleted, _ = KeptTexts.objects.exclude(workspace_id__in=keeping).delete()
    for workspace_id, days in keeping.items():
        before = timezone.now() - timedelta(days=days)
        deleted += KeptTexts.objects.filter(workspace_id=workspace_id, created_at__lt=before).delete()[0]
    return deleted
