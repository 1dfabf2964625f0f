"""What a workspace can be told of: pure tables. A destination chooses from them."""

from __future__ import annotations

ALERTS = {
    "alert.began": "An alert rule begins to hold",
    "alert.ended": "An alert rule is over",
    "budget.reached": "A budget reaches the amount to tell at",
}
EVENTS = {
    "job.succeeded": "A fine-tune has succeeded",
    "job.failed": "A fine-tune has failed",
    "job.cancelled": "A fine-tune was cancelled",
    "study.ended": "A search for settings or a learning curve is over",
    "review.opened": "Something waits for a reviewer",
    "review.escalated": "A reviewer hands something up to the admins",
    "review.decided": "A reviewer has decided",
    **ALERTS,
}
TEST = "test"  # sent to one destination when somebody asks for it; nobody chooses it


def alert_events() -> list[str]:
    """What a destination is told of that chose nothing."""
    return list(ALERTS)
