"""Reading deployments and their revisions."""

from __future__ import annotations

from django.db.models import QuerySet

from gptstudio.core.errors import NotFound
from serving_app.models import Deployment, DeploymentRevision, DeploymentStop


def deployments_of(workspace_id: str) -> QuerySet[Deployment]:
    """The workspace's deployments that are in service, newest first."""
    return Deployment.objects.filter(workspace_id=workspace_id, retired_at__isnull=True).prefetch_related("revisions")


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
