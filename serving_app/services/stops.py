"""The kill switch: a deployment stops answering at once, on every process, until somebody lifts it again.

Each request reads the deployment's row before an engine is asked, so the next one is refused wherever it arrives. Answers
that are under way are finished: what was begun for a caller is bounded by its own most tokens, and billed.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict
from gptstudio.core.reasons import checked_reason
from gptstudio.review.services import open_item
from serving_app.models import Deployment, DeploymentStop

KIND = "stop"  # of review items about stops
LONGEST = 2_000


def _audit(actor: Actor, deployment: Deployment, action: str, reason: str) -> None:
    record(
        actor,
        workspace_id=deployment.workspace_id,
        action=action,
        subject_kind="deployment",
        subject_id=deployment.id,
        subject_label=deployment.name,
        data={"reason": reason},
    )


@transaction.atomic
def stop_deployment(actor: Actor, *, deployment: Deployment, reason: str) -> DeploymentStop:
    """Answer nobody under this name from now on, with a reason. Its models' own names go on answering. Reviewers are
    asked to look into it.
    """
    require(actor, "deployments.stop", workspace_id=deployment.workspace_id)
    why = checked_reason(reason, longest=LONGEST)
    deployment = Deployment.objects.select_for_update().get(id=deployment.id)
    if deployment.retired_at is not None:
        raise Conflict(f"The deployment {deployment.name} is retired: it answers nobody.")
    if deployment.stopped_at is not None:
        raise Conflict(f"The deployment {deployment.name} is stopped already.", fix="Reload the page to see by whom.")
    stop = DeploymentStop.objects.create(deployment=deployment, reason=why, stopped_by_label=actor.label[:200])
    deployment.stopped_at = stop.stopped_at
    deployment.save(update_fields=["stopped_at"])
    _audit(actor, deployment, "deployment.stopped", why)
    open_item(
        actor,
        workspace_id=deployment.workspace_id,
        kind=KIND,
        subject_id=stop.id,
        title=f"The deployment {deployment.name} was stopped",
        evidence={"stop": {"deployment": deployment.id, "name": deployment.name, "by": actor.label, "reason": why}},
        makers=[actor.user_id] if actor.user_id else [],
    )
    return stop


@transaction.atomic
def lift_stop(actor: Actor, *, deployment: Deployment, reason: str) -> DeploymentStop:
    """Let a stopped deployment answer again, from the next request on, with a reason."""
    require(actor, "deployments.stop", workspace_id=deployment.workspace_id)
    why = checked_reason(reason, longest=LONGEST)
    deployment = Deployment.objects.select_for_update().get(id=deployment.id)
    stop = DeploymentStop.objects.filter(deployment=deployment, lifted_at__isnull=True).first()
    if stop is None:
        raise Conflict(f"The deployment {deployment.name} is not stopped.", fix="Reload the page.")
    stop.lifted_at, stop.lifted_by_label, stop.lifted_reason = timezone.now(), actor.label[:200], why
    stop.save(update_fields=["lifted_at", "lifted_by_label", "lifted_reason"])
    deployment.stopped_at = None
    deployment.save(update_fields=["stopped_at"])
    _audit(actor, deployment, "deployment.lifted", why)
    return stop
