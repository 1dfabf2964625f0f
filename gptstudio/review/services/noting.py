"""Who is told of what happens to an item: the audit log, and whoever has notices of reviews sent."""

from __future__ import annotations

from typing import Any

from gptstudio.accounts.policies import Actor
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid
from gptstudio.notify.services import tell
from gptstudio.review.models import ReviewItem


def check_reason(reason: str) -> str:
    """The reason without space around it. Raises Invalid where there is none."""
    if not reason.strip():
        raise Invalid("The decision has no reason.", fix="Say in a sentence why.", param="reason")
    return reason.strip()


def note(actor: Actor, item: ReviewItem, *, action: str, **data: Any) -> None:
    """The audit line. It names the item beside its subject, so that readers of the log find the way to it."""
    record(
        actor,
        workspace_id=item.workspace_id,
        action=action,
        subject_kind=item.kind,
        subject_id=item.subject_id,
        subject_label=item.title,
        data={"review": item.id, **data},
    )


def tell_of(item: ReviewItem, event: str, title: str, **data: str) -> None:
    """Have notices sent of what has happened to an item."""
    subject = {"id": item.id, "kind": item.kind, "subject": item.subject_id, "title": item.title}
    tell(workspace_id=item.workspace_id, event=event, title=title, data=subject | data)
