"""Reading what was said, wherever it is kept: texts of requests, feedback, and what reviewers see of either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datasets_app.curation.erasure import Phrase
from gptstudio.core.errors import Invalid
from gptstudio.review.selectors import items_of
from serving_app.models import Feedback, Guardrails, KeptTexts
from serving_app.selectors.feedback import KIND as FEEDBACK

BREACH = "guardrail"
KINDS = (FEEDBACK, BREACH)  # of review items that quote what was said
WHILE_WAITING = 100_000  # requests whose texts are searched while somebody waits for the page
BATCH = 500


@dataclass(frozen=True, slots=True)
class Said:
    """Where a phrase was said, by id: requests whose texts are kept, feedback, review items."""

    requests: list[str] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.requests) + len(self.feedback) + len(self.reviews)


def said_anywhere(workspace_id: str, phrase: Phrase, *, at_ease: bool = False) -> Said:
    """Look through all that is kept. `at_ease`: nobody waits, so that the number does not matter.

    Items about feedback that says it are among the reviews, whatever they quote of it.
    """
    kept = KeptTexts.objects.filter(workspace_id=workspace_id)
    if not at_ease and (number := kept.count()) > WHILE_WAITING:
        raise Invalid(
            f"The texts of {number:,} requests are kept, which is too much to be searched while you wait.",
            fix="Ask an operator to run: manage.py trace_erasure",
        )
    texts = kept.order_by("created_at").values_list("request_id", "question", "answers")
    requests = [each for each, *said in texts.iterator(chunk_size=BATCH) if says(said, phrase)]
    opinions = Feedback.objects.filter(workspace_id=workspace_id).order_by("created_at")
    given = opinions.values_list("id", "question", "correction").iterator(chunk_size=BATCH)
    feedback = [each for each, *said in given if says(said, phrase)]
    about = set(feedback)
    items = items_of(workspace_id).filter(kind__in=KINDS).values_list("id", "subject_id", "evidence")
    reviews = [
        item
        for item, subject, evidence in items.iterator(chunk_size=BATCH)
        if subject in about or says(evidence, phrase)
    ]
    return Said(requests, feedback, reviews)


def says(value: Any, phrase: Phrase) -> bool:
    """Whether one of the texts in a value says the phrase."""
    return any(phrase.is_in(text) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def days_in_review() -> dict[str, int]:
    """For how many days workspaces keep feedback and what reviewers see, where they have set anything at all."""
    return dict(Guardrails.objects.values_list("workspace_id", "review_days"))
