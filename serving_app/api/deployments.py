"""/api/v1/deployments: names that programs call, which models answer under them in which shares, and the way back."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.api.etags import ETAG, IF_MATCH, Tagged
from serving_app import selectors, services
from serving_app.models import Deployment, DeploymentRevision
from serving_app.services.deployments import HEAVIEST, MOST_TARGETS
from serving_app.services.stops import LONGEST


class TargetBody(serializers.Serializer):
    """A released model, by id or name, and its share relative to the others."""

    model = serializers.CharField(max_length=200)
    weight = serializers.IntegerField(min_value=1, max_value=HEAVIEST, default=1)


class RevisionShape(serializers.Serializer):
    """Which models answer, in which shares; the one with the highest number is in force."""

    number = serializers.IntegerField()
    targets = TargetBody(many=True)
    note = serializers.CharField(allow_blank=True)
    created_by = serializers.CharField(source="created_by_label")
    created_at = serializers.DateTimeField()


class StopShape(serializers.Serializer):
    """The kill switch: who threw it, when and why."""

    at = serializers.DateTimeField(source="stopped_at")
    by = serializers.CharField(source="stopped_by_label")
    reason = serializers.CharField()


class StopBody(serializers.Serializer):
    """Why, for the audit log."""

    reason = serializers.CharField(max_length=LONGEST)


class DeploymentShape(serializers.Serializer):
    """A name and its revisions, the one in force first. `stopped` is null while it answers."""

    id = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    stopped = StopShape(allow_null=True)
    revisions = RevisionShape(many=True)


class DeploymentBody(serializers.Serializer):
    """A new one."""

    name = serializers.CharField(max_length=60)
    targets = serializers.ListField(child=TargetBody(), min_length=1, max_length=MOST_TARGETS)


class SharesBody(serializers.Serializer):
    """Other models, or other shares."""

    targets = serializers.ListField(child=TargetBody(), min_length=1, max_length=MOST_TARGETS)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class RollBackBody(serializers.Serializer):
    """The revision to go back to; left out: the one before the one in force."""

    number = serializers.IntegerField(min_value=1, required=False, allow_null=True)


def _shown(deployment: Deployment) -> dict[str, Any]:
    revisions: list[DeploymentRevision] = list(selectors.revisions_of(deployment))
    facts = {"id": deployment.id, "name": deployment.name, "created_at": deployment.created_at}
    stopped = selectors.current_stop(deployment)
    return dict(DeploymentShape({**facts, "stopped": stopped, "revisions": revisions}).data)


class DeploymentViews(NativeView):
    """What these views share."""

    parser_classes = [JSONParser]

    def found(self, deployment_id: str) -> Deployment:
        """One of the workspace's, with its revisions as they are now."""
        return selectors.deployment_of(self.workspace_id, deployment_id)


class Deployments(DeploymentViews):
    """The workspace's deployments in service."""

    actions: ClassVar[dict[str, str]] = {"GET": "deployments.view", "POST": "deployments.edit"}

    @extend_schema(
        operation_id="deployments_list",
        parameters=LIST_PARAMETERS,
        responses=page_of(DeploymentShape, "DeploymentsPage"),
    )
    def get(self, request: Request) -> Response:
        return self.listed(selectors.deployments_of(self.workspace_id), _shown)

    @extend_schema(operation_id="deployments_create", request=DeploymentBody, responses={201: DeploymentShape})
    def post(self, request: Request) -> Response:
        """Released models alone can be deployed."""
        made = services.create_deployment(self.actor, workspace_id=self.workspace_id, **self.given(DeploymentBody))
        return Response(_shown(self.found(made.id)), status=201)


class DeploymentOne(DeploymentViews, Tagged):
    """One deployment."""

    actions: ClassVar[dict[str, str]] = {
        "GET": "deployments.view",
        "PUT": "deployments.edit",
        "DELETE": "deployments.edit",
    }

    def shown(self, found: Deployment) -> dict[str, Any]:
        return _shown(found)

    @extend_schema(operation_id="deployments_read", parameters=[ETAG], responses=DeploymentShape)
    def get(self, request: Request, deployment_id: str) -> Response:
        return self.seen(self.found(deployment_id))

    @extend_schema(
        operation_id="deployments_share", parameters=[IF_MATCH, ETAG], request=SharesBody, responses=DeploymentShape
    )
    def put(self, request: Request, deployment_id: str) -> Response:
        """A new revision, in force from the next request on."""
        with self.unchanged(lambda: self.found(deployment_id)) as deployment:
            services.update_deployment(self.actor, deployment=deployment, **self.given(SharesBody))
        return self.seen(self.found(deployment_id))

    @extend_schema(operation_id="deployments_retire", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, deployment_id: str) -> Response:
        """Its name answers no more, and is not given away again."""
        with self.unchanged(lambda: self.found(deployment_id)) as deployment:
            services.retire_deployment(self.actor, deployment=deployment)
        return Response(status=204)


class RollBack(DeploymentViews):
    """The way back."""

    actions: ClassVar[dict[str, str]] = {"POST": "deployments.edit"}

    @extend_schema(operation_id="deployments_roll_back", request=RollBackBody, responses=DeploymentShape)
    def post(self, request: Request, deployment_id: str) -> Response:
        """A new revision like an earlier one, in force from the next request on."""
        found = self.found(deployment_id)
        services.roll_back(self.actor, deployment=found, **self.given(RollBackBody))
        return Response(_shown(self.found(deployment_id)))


class StopDeployment(DeploymentViews):
    """The kill switch."""

    actions: ClassVar[dict[str, str]] = {"POST": "deployments.stop"}

    @extend_schema(operation_id="deployments_stop", request=StopBody, responses=DeploymentShape)
    def post(self, request: Request, deployment_id: str) -> Response:
        """Its name answers 403 `deployment_stopped` from the next request on, on every process; answers under way are
        finished. Its models' own names go on answering.
        """
        found = self.found(deployment_id)
        services.stop_deployment(self.actor, deployment=found, **self.given(StopBody))
        return Response(_shown(self.found(deployment_id)))


class LiftStop(DeploymentViews):
    """The way back from the kill switch."""

    actions: ClassVar[dict[str, str]] = {"POST": "deployments.stop"}

    @extend_schema(operation_id="deployments_lift_stop", request=StopBody, responses=DeploymentShape)
    def post(self, request: Request, deployment_id: str) -> Response:
        """It answers again, from the next request on."""
        found = self.found(deployment_id)
        services.lift_stop(self.actor, deployment=found, **self.given(StopBody))
        return Response(_shown(self.found(deployment_id)))
