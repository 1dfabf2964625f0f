"""Reading deployments and their revisions."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery

from gptstudio.core.errors import NotFound
from serving_app.models import Deployment, DeploymentRevision, DeploymentStop


def deployments_of(workspace_id: str) -> QuerySet[Deployment]:
    """The workspace's deployments that are in service, newest first."""
    return Deployment.objects.filter(workspace_id=workspace_id, retired_at__isnull=True).prefetch_related("revisions")


def in_force(workspace_id: str | None = None) -> QuerySet[DeploymentRevision]:
    """The revision in force of each deployment in service, with its deployment, newest first: of a workspace, or of all."""
    newest = DeploymentRevision.objects.filter(deployment=OuterRef("deployment")).order_by("-number")
    rows = DeploymentRevision.objects.filter(
        deployment__retired_at__isnull=True, number=Subquery(newest.values("number")[:1])
    )
    if workspace_id is not None:
        rows = rows.filter(deployment__workspace_id=workspace_id)
    return rows.select_related("deployment").order_by("-deployment__created_at")


def deployment_of(workspace_id: str, deployment_id: str) -> Deployment:
    """One deployment of the workspace."""
    found = deployments_of(workspace_id).filter(id=deployment_id).first()
    if found is None:
        raise NotFound(f"There is no deployment {deployment_id} in this workspace.")
    return found


def deployment_named(workspace_id: str, name: str) -> Deployment | None:
    """A deployment by the name that programs call."""
    return Deployment.objects.filter(workspace_id=workspace_id, name=name, retired_at__isnull=True).first()


def current_stop(deployment: Deployment) -> DeploymentStop | None:
    """Who stopped it, and why; None where it is not stopped."""
    if deployment.stopped_at is None:
        return None
    return DeploymentStop.objects.filter(deployment=deployment, lifted_at__isnull=True).first()


def revisions_of(deployment: Deployment) -> QuerySet[DeploymentRevision]:
    """All revisions, the one in force first; no query where `deployments_of` has brought them."""
    return deployment.revisions.all()


def current_revision(deployment: Deployment) -> DeploymentRevision:
    """The revision in force."""
    found = revisions_of(deployment).first()
    if found is None:
        raise NotFound(f"The deployment {deployment.name} has no revision.")
    return found
