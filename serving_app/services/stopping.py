"""Answers that a rule stops: who is told, and what the engine had written by then."""

from __future__ import annotations

import asyncio
import logging

from django.db import Error as DatabaseError

from serving_app import engine_client, selectors
from serving_app.engine_client import EngineAway, EngineBroke, EngineRefused
from serving_app.guardrails.answers import AnswerGuard, answers_wanted
from serving_app.prices import Tokens
from serving_app.services.admitted import Admission
from serving_app.services.breaches import report_breach
from serving_app.services.trips import in_ledger_thread

logger = logging.getLogger(__name__)
COUNT_TRIES, COUNT_SECONDS = 20, 0.05  # an engine closes its journal as soon as it sees that nobody listens


def guarding(admission: Admission) -> AnswerGuard | None:
    """What watches this request's answers; None where the workspace has no rules for them."""
    if admission.guard is None or not admission.guard.answers:
        return None
    return AnswerGuard(admission.guard, wanted=answers_wanted(admission.body))


async def report(admission: Admission, guard: AnswerGuard | None) -> None:
    """Tell reviewers of what was stopped since the last time, also when the caller goes away meanwhile."""
    if guard is None or admission.guard is None:
        return
    for breach in guard.new_breaches():
        told = in_ledger_thread(
            report_breach, admission.caller.actor, admission.guard, breach,
            side="answers", model_name=admission.served, attempt_id=admission.attempt_id,
            is_private=admission.is_private,
        )  # fmt: skip
        try:
            await asyncio.shield(told)
        except DatabaseError as error:
            kind = type(error).__name__  # the error itself may quote the text
            logger.warning("%s was stopped, and the review queue does not say so: %s", admission.attempt_id, kind)


async def counted(admission: Admission) -> Tokens | None:
    """What an engine that was told to stop has counted, from its journal; None: the reaper will find it."""
    after = await in_ledger_thread(selectors.journal_read, admission.replica)
    for _ in range(COUNT_TRIES):
        try:
            rows = await engine_client.usage(admission.url, after=after)
        except (EngineAway, EngineBroke, EngineRefused):
            return None
        for row in rows or ():
            if row.attempt_id == admission.attempt_id and row.finish_reason is not None:
                return Tokens(prompt=row.prompt_tokens, completion=row.completion_tokens, cached=row.cached_tokens)
        await asyncio.sleep(COUNT_SECONDS)
    return None
