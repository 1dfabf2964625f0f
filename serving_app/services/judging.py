"""Requests to a moderation server in the log and within their key's limits, as others are. They cost nothing, so the ledger
knows nothing of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.models import ApiKey
from gptstudio.core.errors import Invalid, StudioError
from serving_app.models import Balance, Completion, CompletionState
from serving_app.prices import prompt_guess
from serving_app.selectors import Standing
from serving_app.services.limits import check_parallel, count_in_database, counted, limits_of
from serving_app.services.trips import in_ledger_thread, queue_for_ledger

ENDPOINT = "moderations"
NEVER_ENDED = timedelta(minutes=2)  # its client gives up long before


def let_in(key: ApiKey, *, attempt_id: str, judge: str, tokens: int) -> Standing:
    """Open a request to the moderation server's model `judge`. Raises RateExceeded, which leaves nothing behind."""
    limits = limits_of(key)
    with counted(key, attempt_id, tokens=tokens) as standing, transaction.atomic():
        Balance.objects.get_or_create(id=key.id)
        Balance.objects.select_for_update().get(id=key.id)  # requests of one key come here one after another
        if standing is None:
            standing = count_in_database(key.id, limits, tokens=tokens) if limits.by_minute else Standing()
        check_parallel(key.id, limits, standing=standing)
        Completion.objects.create(
            id=attempt_id,
            workspace_id=key.workspace_id,
            api_key=key,
            user_id=key.created_by_id or "",
            judge=judge,
            replica="",
            endpoint=ENDPOINT,
            counted_tokens=tokens,
        )
    return standing


@asynccontextmanager
async def judged(key: ApiKey, attempt_id: str, *, judge: str, texts: list[str]) -> AsyncIterator[Standing]:
    """Around the asking: let in before it, and noted how it ended. Raises RateExceeded."""
    tokens = prompt_guess(texts)
    standing = await in_ledger_thread(let_in, key, attempt_id=attempt_id, judge=judge, tokens=tokens)
    started, state, code = time.monotonic(), CompletionState.CANCELLED, ""

    def note() -> None:
        total_ms = int((time.monotonic() - started) * 1000)
        note_end(attempt_id, state=state, total_ms=total_ms, error_code=code)

    try:
        yield standing
        state = CompletionState.COMPLETED
    except StudioError as error:
        state = CompletionState.REFUSED if isinstance(error, Invalid) else CompletionState.FAILED
        code = error.code
        raise
    finally:
        noted = queue_for_ledger(note)  # also when the caller has left
        await asyncio.wrap_future(noted)


def note_end(attempt_id: str, *, state: str, total_ms: int, error_code: str = "") -> None:
    """It is over: answered, refused, failed, or nobody waited for it."""
    mine = Completion.objects.filter(id=attempt_id, state=CompletionState.RUNNING)
    mine.update(state=state, total_ms=total_ms, error_code=error_code[:48])


def end_lost() -> int:
    """Close what a process left open when it died; how many."""
    before = timezone.now() - NEVER_ENDED
    lost = Completion.objects.filter(state=CompletionState.RUNNING, endpoint=ENDPOINT, created_at__lt=before)
    return lost.update(state=CompletionState.FAILED, error_code="never_ended")
