"""All that changes in the review queue."""

from gptstudio.review.services.claiming import (
    CLAIM_TIME,
    claim_item,
    escalate_item,
    hand_back_item,
    holder_of,
    release_item,
)
from gptstudio.review.services.deciding import (
    MOST_AT_ONCE,
    Outcome,
    check_may_decide,
    decide,
    decide_many,
    reopen,
)
from gptstudio.review.services.items import forget_evidence, open_item, update_evidence

__all__ = [
    "CLAIM_TIME",
    "MOST_AT_ONCE",
    "Outcome",
    "check_may_decide",
    "claim_item",
    "decide",
    "decide_many",
    "escalate_item",
    "forget_evidence",
    "hand_back_item",
    "holder_of",
    "open_item",
    "release_item",
    "reopen",
    "update_evidence",
]
