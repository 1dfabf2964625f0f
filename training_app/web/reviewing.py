"""How a model is shown to who decides about its release: links, and what its evidence speaks for."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from gptstudio.review.evidence import SCORES, Suggestion
from gptstudio.review.models import ReviewItem
from gptstudio.review.wording import Wording, register


def _links(item: ReviewItem) -> list[tuple[str, str]]:
    return [
        ("Open the model", reverse("training:model", args=[item.subject_id])),
        ("Its evidence pack", reverse("evidence", args=[item.subject_id])),
        ("What it comes from", reverse("lineage", args=[item.subject_id])),
    ]


def _score(evidence: dict[str, Any], name: str) -> str:
    base, tuned = (evidence.get("base") or {}).get(name), (evidence.get("tuned") or {}).get(name)
    if not isinstance(base, int | float) or not isinstance(tuned, int | float):
        return ""
    return f"{dict(SCORES).get(name, name)} {tuned:.3g} against the base model's {base:.3g}"


def suggestion_of(item: ReviewItem) -> Suggestion | None:
    """What safety report and evaluation speak for; None where there is neither."""
    evidence = item.evidence
    checks = (evidence.get("safety") or {}).get("checks", [])
    failed = [check for check in checks if not check["passed"]]
    if failed:
        why = f"{len(failed)} of {len(checks)} safety checks are over their limit: {failed[0]['title']}"
        return Suggestion("rejected", why, f"{failed[0]['failed']} of {failed[0]['tried']}", "safety report")
    said = {name: each.get("said") for name, each in (evidence.get("intervals") or {}).items()}
    source = f"evaluation on {evidence.get('rows', 0):,} test rows"
    worse = [name for name in said if said[name] == "worse"]
    if worse:
        return Suggestion(
            "", "It is worse than the base model by more than chance.", _score(evidence, worse[0]), source
        )
    better = [name for name in said if said[name] == "better"]
    if better and checks:
        why = "It is better than the base model, and within every safety limit."
        return Suggestion("approved", why, _score(evidence, better[0]), f"{source}, safety report")
    return None


def register_kinds() -> None:
    """Say what deciding about a model means."""
    register("model", Wording(name="Model to release", links=_links, suggest=suggestion_of))
