"""The reaper: ends what no gateway has ended, from the engines' journals.

Reading a journal twice changes nothing, so a crash between two writes is harmless.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from serving_app import selectors
from serving_app.engine_client import JournalRow
from serving_app.models import Completion, CompletionState, EngineReplica
from serving_app.prices import Tokens
from serving_app.services.usage import LEFT, Ending, release, settle

# An engine writes its first row within seconds of the reservation; what is later is billed by an adjust row.
NEVER_ARRIVED = timedelta(seconds=60)
NEVER_BEGUN = timedelta(seconds=10)  # of what its caller left: the engine has seen that, too
NEVER_COUNTED = timedelta(minutes=15)


def take_rows(rows: Sequence[JournalRow]) -> int:
    """Settle the attempts that these rows close, and mark those that run. Returns how many were settled here."""
    latest = {row.attempt_id: row for row in rows}
    closed = [row for row in latest.values() if row.finish_reason is not None]
    running = [row.attempt_id for row in latest.values() if row.finish_reason is None]
    if running:
        Completion.objects.filter(id__in=running, reached_engine=False).update(reached_engine=True)
    billed = selectors.settled_counts(row.attempt_id for row in closed)
    return sum(_settle(row) for row in closed if row.attempt_id not in billed)


def drift_of(rows: Sequence[JournalRow]) -> tuple[int, int]:
    """Prompt and completion tokens of closing rows minus the ledger's, once these rows were taken: 0 and 0 are right."""
    closed = {row.attempt_id: row for row in rows if row.finish_reason is not None}
    billed = selectors.settled_counts(closed)
    pairs = [(row, billed.get(attempt, Tokens())) for attempt, row in closed.items()]
    return (
        sum(row.prompt_tokens - ledger.prompt for row, ledger in pairs),
        sum(row.completion_tokens - ledger.completion for row, ledger in pairs),
    )


def _settle(row: JournalRow) -> bool:
    tokens = Tokens(prompt=row.prompt_tokens, completion=row.completion_tokens, cached=row.cached_tokens)
    return settle(row.attempt_id, tokens=tokens, ending=Ending(str(row.finish_reason), source="reaper"))


def release_strays(replica: EngineReplica) -> int:
    """Release what never reached this engine. Its journal must just have been read to the end."""
    now = timezone.now()
    unseen = selectors.open_attempts().filter(replica=replica.name, reached_engine=False)
    left = unseen.filter(finish_reason=LEFT, created_at__lt=now - NEVER_BEGUN)
    gone = sum(
        release(request.id, error_code="", source="reaper", state=CompletionState.CANCELLED) for request in left[:500]
    )
    strays = unseen.filter(created_at__lt=now - NEVER_ARRIVED)
    return gone + sum(release(request.id, error_code="never_arrived", source="reaper") for request in strays[:500])


def settle_lost(replica: EngineReplica, *, told: Collection[str], before: datetime) -> int:
    """End what ran on this engine before its journal was replaced by one that does not tell of it: nobody will."""
    running = selectors.open_attempts().filter(replica=replica.name, reached_engine=True, created_at__lt=before)
    ending = Ending("error", source="reaper", estimated=True)
    lost = [request.id for request in running if request.id not in told]
    return sum(settle(attempt_id, tokens=Tokens(), ending=ending) for attempt_id in lost)


def settle_uncounted() -> int:
    """End what no journal will ever tell of: the engine keeps none, or is no longer ours. Marked as estimated."""
    before = timezone.now() - NEVER_COUNTED
    counting = EngineReplica.objects.filter(has_journal=True).values("name")
    lost = selectors.open_attempts().filter(created_at__lt=before).exclude(replica__in=counting)
    ending = Ending("error", source="reaper", estimated=True)
    return sum(settle(request.id, tokens=Tokens(), ending=ending) for request in lost[:500])
