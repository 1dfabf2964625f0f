"""Reading feedback."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from gptstudio.review.models import ReviewItem, ReviewState
from serving_app.models import Feedback

KIND = "feedback"


def feedback_of(workspace_id: str) -> QuerySet[Feedback]:
    """The workspace's feedback, newest first; `state` is that of its review, None where nobody has to look."""
    items = ReviewItem.objects.filter(kind=KIND, subject_id=OuterRef("id")).values("state")[:1]
    rows = Feedback.objects.filter(workspace_id=workspace_id).select_related("request__model", "file")
    return rows.annotate(state=Subquery(items))


def is_wanted() -> Q:
    """A correction that a reviewer accepted and no file has yet."""
    yes = ReviewItem.objects.filter(kind=KIND, subject_id=OuterRef("id"), state=ReviewState.APPROVED)
    return Q(Exists(yes), ~Q(correction=""), file__isnull=True)


def accepted_corrections(workspace_id: str) -> QuerySet[Feedback]:
    """Corrections that a reviewer accepted and no file has yet, oldest first."""
    rows = Feedback.objects.filter(workspace_id=workspace_id)
    return rows.filter(is_wanted()).order_by("created_at", "id")
