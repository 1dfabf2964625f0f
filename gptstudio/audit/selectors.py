"""Reading the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from gptstudio.audit.incidents import KINDS
from gptstudio.audit.models import AuditEvent, ChainHead
from gptstudio.audit.seals import is_sealed
from gptstudio.audit.services import GENESIS, STUDIO, line_hash


def events_of(workspace_id: str) -> QuerySet[AuditEvent]:
    """The workspace's lines, newest first."""
    return AuditEvent.objects.filter(workspace_id=workspace_id)


def events_matching(workspace_id: str, wanted: str) -> QuerySet[AuditEvent]:
    """Lines whose person, act or subject holds these words; all lines when there are none."""
    return events_of(workspace_id).filter(_holds(wanted))


def _holds(wanted: str) -> Q:
    if not wanted:
        return Q()
    act = wanted.lower().replace(" ", "_")
    return (
        Q(actor_label__icontains=wanted)
        | Q(subject_label__icontains=wanted)
        | Q(subject_id__icontains=wanted)
        | Q(action__icontains=act)
    )


def events_about(workspace_id: str, subject_id: str) -> QuerySet[AuditEvent]:
    """All that was done to one subject, newest first."""
    return events_of(workspace_id).filter(subject_id=subject_id)


def incidents_in(
    workspaces: Sequence[str], *, kind: str = "", since: datetime | None = None, wanted: str = ""
) -> QuerySet[AuditEvent]:
    """What went wrong or was stopped in these workspaces, newest first; of one kind, since a time, and with these words,
    where given.
    """
    kinds = [KINDS[kind]] if kind else list(KINDS.values())
    fits = Q()
    for each in kinds:
        fits |= Q(action__in=each.acts, subject_kind=each.subject)
    lines = AuditEvent.objects.filter(fits, _holds(wanted), workspace_id__in=workspaces).select_related("workspace")
    return lines.filter(at__gte=since) if since is not None else lines


def broken_chains() -> list[str]:
    """A sentence for every chain that does not verify; empty when the log is whole. Lines may be added meanwhile."""
    heads = ChainHead.objects.order_by("key").values_list("key", flat=True)
    findings = [found for key in list(heads) if (found := _fault_in(key))]
    known = set(ChainHead.objects.values_list("key", flat=True))
    workspaces = AuditEvent.objects.order_by().values_list("workspace_id", flat=True).distinct()
    told = {workspace_id or STUDIO for workspace_id in workspaces}
    findings += [f"Chain {key}: its head is missing, so its end cannot be proved." for key in sorted(told - known)]
    return findings


def _fault_in(key: str) -> str:
    """What is wrong with one chain, or nothing."""
    lines = AuditEvent.objects.filter(workspace_id=None if key == STUDIO else key).order_by("id")
    expected, last = GENESIS, 0
    while True:
        for event in lines.filter(id__gt=last).iterator():
            if event.previous_hash != expected or event.hash != line_hash(event):
                return f"Chain {key}: line {event.id} was changed, or a line before it is missing."
            expected, last = event.hash, event.id
        # Read after the lines, the head can only be ahead of them, and then its lines can be read by now.
        head = ChainHead.objects.get(key=key)
        if head.hash == expected:
            break
        if not lines.filter(id__gt=last).exists():
            return f"Chain {key}: its last line is missing."
    if is_sealed(key, head.hash, head.seal):
        return ""
    return (
        f"Chain {key}: its end does not bear this studio's seal. Either it was written anew, or SECRET_KEY is "
        "another one: name the one before in SECRET_KEY_FALLBACKS."
    )
