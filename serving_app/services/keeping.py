"""Texts of requests: kept where the workspace wants it, scrubbed of personal data before they are written, and deleted
when their time is over. Without that wish nothing of what is said is written anywhere.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record as audit
from serving_app import selectors
from serving_app.guardrails.record import Record, scrubbed_texts
from serving_app.models import KeptTexts
from serving_app.services.admission import Admission
from serving_app.services.trips import in_ledger_thread, in_report_thread

logger = logging.getLogger(__name__)


def recording(admission: Admission) -> Record | None:
    """What gathers this request's answers; None where they are not kept."""
    return Record() if admission.keeps else None


async def keep(admission: Admission, record: Record | None) -> None:
    """Write an answered request's texts down. A failure leaves them unwritten, and the answer as it is."""
    guard = admission.guard
    if record is None or guard is None or not record.answers:
        return
    question, answers = await in_report_thread(lambda: scrubbed_texts(admission.body, record.answers, guard.personal))
    written = in_ledger_thread(
        keep_texts,
        workspace_id=admission.caller.workspace.id,
        request_id=admission.attempt_id,
        question=question,
        answers=answers,
    )
    try:
        await asyncio.shield(written)
    except DatabaseError as error:
        logger.warning(
            "the texts of %s were not kept: %s", admission.attempt_id, type(error).__name__
        )  # it may quote them


def keep_texts(*, workspace_id: str, request_id: str, question: dict[str, Any], answers: list[dict[str, Any]]) -> None:
    """Write scrubbed texts down."""
    KeptTexts.objects.create(workspace_id=workspace_id, request_id=request_id, question=question, answers=answers)


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
