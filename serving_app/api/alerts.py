"""/api/v1/alerts: rules, where they are told, and what became of each notice."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.accounts import services as people
from gptstudio.accounts.selectors import deliveries_for
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.notify import selectors as notices
from gptstudio.notify.events import EVENTS
from gptstudio.notify.models import Delivery, Destination, DestinationKind
from gptstudio.notify.webhooks import secret_of
from serving_app import selectors, services
from serving_app.models import AlertKind, AlertRule


class RuleShape(serializers.ModelSerializer):
    """A rule. `firing_since` is null while all is well; `detail` says what was seen when it last fired."""

    minutes = serializers.IntegerField()

    class Meta:
        model = AlertRule
        fields = ("id", "kind", "threshold", "minutes", "firing_since", "detail", "created_at")


class RuleBody(serializers.Serializer):
    """`threshold` in milliseconds (latency) or percent (errors); an engine that is down needs none."""

    kind = serializers.ChoiceField(choices=AlertKind.choices)
    threshold = serializers.FloatField(required=False, allow_null=True)
    minutes = serializers.IntegerField(default=5)


class DestinationShape(serializers.ModelSerializer):
    """Where notices go. `secret` signs a webhook's body: see `webhook-signature`; empty for e-mail."""

    events = serializers.ListField(child=serializers.CharField(), help_text="What it is told of.")

    secret = serializers.SerializerMethodField()

    class Meta:
        model = Destination
        fields = ("id", "kind", "address", "events", "secret", "created_at")

    def get_secret(self, destination: Destination) -> str:
        return secret_of(destination.id) if destination.kind == DestinationKind.WEBHOOK else ""


class DestinationBody(serializers.Serializer):
    """A new one; without `events` it is told of alerts and budgets."""

    kind = serializers.ChoiceField(choices=DestinationKind.choices)
    address = serializers.CharField(max_length=500)
    events = serializers.ListField(child=serializers.ChoiceField(list(EVENTS)), required=False, allow_empty=False)


class DeliveryShape(serializers.ModelSerializer):
    """One notice to one destination: how it stands and what came of the last try."""

    address = serializers.CharField(source="destination.address")
    attempts = serializers.IntegerField()
    body = serializers.JSONField()

    class Meta:
        model = Delivery
        fields = ("id", "address", "event", "title", "body", "state", "attempts", "answer", "created_at", "sent_at")


class AlertViews(NativeView):
    """Admins alone: what is told to whom is theirs to say."""

    actions: ClassVar[dict[str, str]] = dict.fromkeys(("GET", "POST", "DELETE"), "alerts.edit")
    parser_classes = [JSONParser]


class Rules(AlertViews):
    """When to tell."""

    @extend_schema(
        operation_id="alerts_rules_list", responses=inline_serializer("Rules", {"data": RuleShape(many=True)})
    )
    def get(self, request: Request) -> Response:
        return Response({"data": [RuleShape(each).data for each in selectors.rules_of(self.workspace_id)]})

    @extend_schema(operation_id="alerts_rules_create", request=RuleBody, responses={201: RuleShape})
    def post(self, request: Request) -> Response:
        made = services.create_rule(self.actor, workspace_id=self.workspace_id, **self.given(RuleBody))
        return Response(RuleShape(made).data, status=201)


class RuleOne(AlertViews):
    """One rule."""

    @extend_schema(operation_id="alerts_rules_remove", responses={204: None})
    def delete(self, request: Request, rule_id: str) -> Response:
        services.remove_rule(self.actor, rule=selectors.rule_of(self.workspace_id, rule_id))
        return Response(status=204)


class Destinations(AlertViews):
    """Where to tell. An answer with a webhook's secret is not kept for repeats."""

    replays = False

    @extend_schema(
        operation_id="alerts_destinations_list",
        responses=inline_serializer("Destinations", {"data": DestinationShape(many=True)}),
    )
    def get(self, request: Request) -> Response:
        found: Any = notices.destinations_of(self.workspace_id)
        return Response({"data": [DestinationShape(each).data for each in found]})

    @extend_schema(operation_id="alerts_destinations_add", request=DestinationBody, responses={201: DestinationShape})
    def post(self, request: Request) -> Response:
        """A webhook may lead to the open internet alone, unless the operator allows private addresses. To be told of jobs
        it takes the scope jobs:read too, of reviews reviews:read."""
        made = people.add_destination(self.actor, workspace_id=self.workspace_id, **self.given(DestinationBody))
        return Response(DestinationShape(made).data, status=201)


class DestinationOne(AlertViews):
    """One destination."""

    @extend_schema(operation_id="alerts_destinations_remove", responses={204: None})
    def delete(self, request: Request, destination_id: str) -> Response:
        found = notices.destination_of(self.workspace_id, destination_id)
        people.remove_destination(self.actor, destination=found)
        return Response(status=204)


class Deliveries(AlertViews):
    """What became of each notice; of jobs and reviews for keys alone that may see them."""

    @extend_schema(
        operation_id="alerts_deliveries_list",
        parameters=LIST_PARAMETERS,
        responses=page_of(DeliveryShape, "Deliveries"),
    )
    def get(self, request: Request) -> Response:
        return self.listed(deliveries_for(self.actor), lambda each: DeliveryShape(each).data)
