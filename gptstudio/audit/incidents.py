"""What went wrong or was stopped, read off the audit log: each kind is a few acts, some of one kind of subject alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from gptstudio.audit.models import AuditEvent


@dataclass(frozen=True, slots=True)
class Kind:
    """`acts` about subjects of the kind `subject`. `place`: the name of the address that shows one, by its id; empty: an
    address of its own. `for_admins`: that page is closed to reviewers.
    """

    title: str
    acts: Sequence[str]
    subject: str
    place: str = ""
    for_admins: bool = False


KINDS = {
    "stop": Kind(
        "Stopped deployments", ("deployment.stopped", "deployment.lifted"), "deployment", "serving:deployment"
    ),
    "withdrawn": Kind("Withdrawn models", ("review.withdrawn",), "model", "training:model"),
    "flagged": Kind("Flagged completions", ("review.requested",), "guardrail"),
    "key": Kind("Paused and revoked keys", ("key.paused", "key.resumed", "key.revoked"), "key", "web:key", True),
    "member": Kind(
        "Blocked members", ("member.blocked", "member.unblocked", "member.removed"), "user", "web:member", True
    ),
    "alert": Kind("Alerts", ("alert.began", "alert.ended"), "rule"),
}


def kind_of(event: AuditEvent) -> str:
    """Which kind of incident a line tells of; empty: none."""
    fits = (name for name, kind in KINDS.items() if event.action in kind.acts and event.subject_kind == kind.subject)
    return next(fits, "")


def why(event: AuditEvent) -> str:
    """The reason that was given, or what was seen."""
    return str(event.data.get("reason") or event.data.get("detail") or "")


def address_of(event: AuditEvent, *, is_admin: bool) -> str:
    """Where the subject of an incident is shown; empty where this reader cannot open it."""
    name = kind_of(event)
    if not name or (KINDS[name].for_admins and not is_admin):
        return ""
    if name == "flagged":
        review = event.data.get("review")
        return reverse("admin:review_reviewitem_change", args=[review]) if review else ""
    if name == "alert":
        return reverse("serving:alerts") if is_admin else reverse("serving:monitoring")
    return reverse(KINDS[name].place, args=[event.subject_id])
