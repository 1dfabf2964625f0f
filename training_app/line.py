"""Whose turn it is: waiting runs in a fair order between workspaces. Reads only.

A workspace that sends twenty runs at once does not keep the others waiting: whoever has fewest under way comes first,
then whoever was served longest ago, then whoever asked first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from django.conf import settings

from training_app import selectors

NEVER = datetime.min.replace(tzinfo=UTC)
Waiting = tuple[str, str]  # a run, its workspace


def fair(
    waiting: Sequence[Waiting],
    *,
    running: Mapping[str, int],
    served: Mapping[str, datetime],
    free: int,
    limit: int = 0,
) -> list[str]:
    """The runs that may begin on `free` slots, in order. `waiting` comes in the order of asking; `limit` is how many a
    workspace may have under way, 0 for any number. `running` counts by workspace, `served` is when its last one began.
    """
    counts = dict(running)
    since = {workspace: (0, served.get(workspace, NEVER)) for _, workspace in waiting}
    left, found = list(waiting), list[str]()
    while left and len(found) < free:
        may = [each for each in left if not limit or counts.get(each[1], 0) < limit]
        if not may:
            break
        chosen = min(may, key=lambda each: (counts.get(each[1], 0), since[each[1]]))
        found.append(chosen[0])
        left.remove(chosen)
        counts[chosen[1]] = counts.get(chosen[1], 0) + 1
        since[chosen[1]] = (len(found), NEVER)
    return found


def next_in_line(free: int | None = None) -> list[str]:
    """The runs whose turn it is; with `free` as if so many slots were free."""
    if free is None:
        free = settings.TRAINING_SLOTS - selectors.running_count()
    return fair(
        selectors.waiting_jobs(),
        running=selectors.running_by_workspace(),
        served=selectors.last_started_by_workspace(),
        free=free,
        limit=settings.TRAINING_SLOTS_A_WORKSPACE,
    )
