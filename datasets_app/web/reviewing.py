"""How a version is shown to who decides about it: links, what was found in it, and how sure that is."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from datasets_app import selectors
from datasets_app.contents import findings
from gptstudio.core.errors import StudioError
from gptstudio.review.evidence import Line, Suggestion
from gptstudio.review.models import ReviewItem
from gptstudio.review.wording import Wording, register
from gptstudio.web.wording import personal_title

NOTE = "Where its recipe keeps personal data or looks for no names, nobody trains on it until somebody decides."
DONE = {"mask": "hidden", "pseudonym": "replaced", "hash": "replaced", "drop_row": "left out", "keep": "kept"}


def _links(item: ReviewItem) -> list[tuple[str, str]]:
    return [
        ("Open the version", reverse("datasets:version", args=[item.subject_id])),
        ("Its rows", reverse("datasets:version-rows", args=[item.subject_id])),
        ("What was found in them", reverse("datasets:version-findings", args=[item.subject_id])),
    ]


def _facets(item: ReviewItem) -> list[dict[str, Any]]:
    """Hits by type; none where the recipe looked for none, or the version is erased."""
    try:
        return findings.facets(selectors.version_of(item.workspace_id, item.subject_id))
    except StudioError:
        return []


def _found(item: ReviewItem) -> dict[str, list[Line]]:
    lines = [
        Line(
            personal_title(each["entity_type"]),
            f"{each['hits']:,}",
            f"{DONE[each['action']]}; sure by {each['least']:.0%} at least"
            + (f", {each['unsure']:,} below {findings.SURE:.0%}" if each["unsure"] else ""),
        )
        for each in _facets(item)
    ]
    return {"Personal data, and how sure that is": lines} if lines else {}


def suggestion_of(item: ReviewItem) -> Suggestion | None:
    """What was found, and how sure it is, speaks for; None where nobody looked."""
    found = _facets(item)
    if not found:
        return None
    unsure, hits = sum(each["unsure"] for each in found), sum(each["hits"] for each in found)
    kept = [each for each in found if each["action"] == "keep"]
    score = f"{unsure:,} of {hits:,} hits are below {findings.SURE:.0%}"
    if kept:
        why = f"{sum(each['hits'] for each in kept):,} pieces of personal data stay in it. Look at them first."
        return Suggestion("", why, score, "findings of this version")
    if unsure:
        return Suggestion(
            "", "What was found is hidden, but some of it is uncertain.", score, "findings of this version"
        )
    return Suggestion("approved", "All that was found is hidden, and sure.", score, "findings of this version")


def register_kinds() -> None:
    """Say what deciding about a version means."""
    register(
        "version",
        Wording(
            name="Data",
            note=NOTE,
            waits="It waits until you decide.",
            in_bulk=True,
            links=_links,
            more=_found,
            suggest=suggestion_of,
        ),
    )
