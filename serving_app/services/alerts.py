"""Alert rules: made and removed by people, looked at by the reconciler. A rule tells when it begins and when it is over."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor, require, system
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid
from gptstudio.notify.services import tell
from serving_app.models import AlertKind, AlertRule
from serving_app.selectors import all_rules, broken_now

MOST_RULES, MOST_MINUTES = 50, 1_440
LARGEST = {AlertKind.LATENCY: 3_600_000.0, AlertKind.ERRORS: 100.0, AlertKind.ENGINE_DOWN: 0.0}


def _audit(actor: Actor, rule: AlertRule, action: str) -> None:
    record(
        actor,
        workspace_id=rule.workspace_id,
        action=action,
        subject_kind="rule",
        subject_id=rule.id,
        subject_label=str(rule),
        data={"kind": rule.kind, "threshold": rule.threshold, "minutes": rule.minutes, "detail": rule.detail},
    )


@transaction.atomic
def create_rule(
    actor: Actor, *, workspace_id: str, kind: str, threshold: float | None = None, minutes: int = 5
) -> AlertRule:
    """Have people told when this is so. `threshold`: milliseconds, or percent; none for engines."""
    require(actor, "alerts.edit", workspace_id=workspace_id)
    if kind not in AlertKind.values:
        raise Invalid(f"{kind!r} is no kind of rule.", fix=f"Choose from {', '.join(AlertKind.values)}.", param="kind")
    if threshold is None and kind != AlertKind.ENGINE_DOWN:
        raise Invalid("The rule has no threshold.", fix="Give milliseconds or percent.", param="threshold")
    most, value = LARGEST[AlertKind(kind)], threshold or 0.0
    if not 0 <= value <= most:
        raise Invalid(f"The threshold {value:g} cannot be.", fix=f"Use 0 to {most:g}.", param="threshold")
    if not 1 <= minutes <= MOST_MINUTES:
        raise Invalid(f"{minutes} minutes cannot be.", fix=f"Use 1 to {MOST_MINUTES:,}.", param="minutes")
    if AlertRule.objects.filter(workspace_id=workspace_id).count() >= MOST_RULES:
        raise Invalid(f"There are {MOST_RULES} rules.", fix="Remove one first.")
    rule = AlertRule.objects.create(workspace_id=workspace_id, kind=kind, threshold=value, minutes=minutes)
    _audit(actor, rule, "alert.rule_made")
    return rule


@transaction.atomic
def remove_rule(actor: Actor, *, rule: AlertRule) -> None:
    """Nobody is told of it any more."""
    require(actor, "alerts.edit", workspace_id=rule.workspace_id)
    _audit(actor, rule, "alert.rule_removed")
    rule.delete()


def check_rules(*, watched_since: datetime | None = None) -> int:
    """Look at every rule; how many began or ended. `watched_since`: when engines began to be looked at."""
    return sum(_look(rule, watched_since) for rule in all_rules())


@transaction.atomic
def _look(rule: AlertRule, watched_since: datetime | None) -> bool:
    mine = AlertRule.objects.filter(id=rule.id)
    is_new = rule.firing_since is None  # what fired before a restart is not over because of it
    seen = broken_now(rule, watched_since=watched_since if is_new else None)
    if seen and rule.firing_since is None:
        changed = mine.filter(firing_since__isnull=True).update(firing_since=timezone.now(), detail=seen[:200])
    elif not seen and rule.firing_since is not None:
        changed = mine.filter(firing_since__isnull=False).update(firing_since=None)
    else:
        return False
    if not changed:  # another reconciler was here
        return False
    rule.detail = seen or rule.detail
    action = "alert.began" if seen else "alert.ended"
    title = f"{rule}" if seen else f"Over: {rule}"
    data = {"rule": rule.id, "kind": rule.kind, "threshold": rule.threshold, "minutes": rule.minutes, "seen": seen}
    tell(workspace_id=rule.workspace_id, event=action, title=title, data=data)
    _audit(system(rule.workspace_id), rule, action)
    return True
