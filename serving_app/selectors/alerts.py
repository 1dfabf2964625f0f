"""Reading alert rules, and what they look at."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from gptstudio.core.errors import NotFound
from serving_app.models import AlertKind, AlertRule, Completion, CompletionState, EngineReplica
from serving_app.selectors.monitoring import percentile

FEWEST = 5  # requests in the span before a rate or a percentile means anything
MOST = 20_000


def rules_of(workspace_id: str) -> QuerySet[AlertRule]:
    """The workspace's rules."""
    return AlertRule.objects.filter(workspace_id=workspace_id)


def rule_of(workspace_id: str, rule_id: str) -> AlertRule:
    """One of them."""
    found = rules_of(workspace_id).filter(id=rule_id).first()
    if found is None:
        raise NotFound(f"There is no alert rule {rule_id} in this workspace.")
    return found


def all_rules() -> QuerySet[AlertRule]:
    """Those of all workspaces."""
    return AlertRule.objects.all()


def broken_now(rule: AlertRule, *, watched_since: datetime | None = None) -> str:
    """What a rule sees that passes its threshold, as a sentence; empty when nothing does.

    `watched_since`: engines were not looked at before, so being away counts from then at the earliest.
    """
    since = timezone.now() - timedelta(minutes=rule.minutes)
    if rule.kind == AlertKind.ENGINE_DOWN:
        if watched_since is not None and watched_since > since:
            return ""
        seen_long_ago = Q(last_seen_at__lt=since) | Q(last_seen_at__isnull=True)
        names = EngineReplica.objects.filter(seen_long_ago, is_up=False).values_list("name", flat=True)
        return f"Does not answer: {', '.join(names)}." if names else ""
    rows = Completion.objects.filter(workspace_id=rule.workspace_id, model__isnull=False, created_at__gt=since)
    ended = rows.exclude(state__in=[CompletionState.RUNNING, CompletionState.REFUSED])
    if rule.kind == AlertKind.ERRORS:
        states = list(ended.order_by("-created_at").values_list("state", flat=True)[:MOST])
        failed = states.count(CompletionState.FAILED)
        share = 100 * failed / len(states) if states else 0.0
        is_broken = len(states) >= FEWEST and share > rule.threshold
        return f"{failed:,} of {len(states):,} requests failed ({share:.3g} %)." if is_broken else ""
    times = ended.filter(total_ms__isnull=False).order_by("-created_at").values_list("total_ms", flat=True)[:MOST]
    ordered = sorted(float(each) for each in times if each is not None)
    p95 = percentile(ordered, 95)
    is_slow = p95 is not None and len(ordered) >= FEWEST and p95 > rule.threshold
    return f"95 % of {len(ordered):,} answers took up to {p95:,.0f} ms." if is_slow else ""
