"""Reading models for lists to choose from. A workspace may have thousands: the newest are offered, and what is named."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from gptstudio.review.models import ReviewItem, ReviewState
from training_app.models import LanguageModel, ModelKind

OFFERED = 50  # fine-tunes


def models_to_choose(workspace_id: str, *, unreleased: bool = False, also: Collection[str] = ()) -> list[LanguageModel]:
    """Base models, then the newest fine-tunes that are released; with `unreleased` the others too.

    Those with the names or ids of `also` are among them, however old. Bare rows: what hangs on them is not brought.
    """
    seen = LanguageModel.objects.filter(Q(workspace_id=workspace_id) | Q(workspace_id=None), archived_at__isnull=True)
    tuned = seen.filter(kind=ModelKind.FINE_TUNE).order_by("-created_at", "-id")
    if not unreleased:
        tuned = tuned.filter(id__in=_released(workspace_id))
    newest = list(tuned[:OFFERED])
    known = {model.id for model in newest} | {model.name for model in newest}
    if missing := set(also) - known:
        newest += tuned.filter(Q(id__in=missing) | Q(name__in=missing))
    return [*seen.filter(kind=ModelKind.BASE).order_by("-created_at", "-id"), *newest]


def _released(workspace_id: str) -> QuerySet[ReviewItem, str]:
    approved = ReviewItem.objects.filter(workspace_id=workspace_id, kind="model", state=ReviewState.APPROVED)
    return approved.values_list("subject_id", flat=True)
