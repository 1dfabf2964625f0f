"""/api/v1/webhooks: URLs that are told of what happens, each of the events that it chose; what became of each notice."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.accounts import services
from gptstudio.accounts.selectors import deliveries_for
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.api.etags import ETAG, IF_MATCH, Tagged
from gptstudio.notify import selectors
from gptstudio.notify.events import EVENTS
from gptstudio.notify.models import Delivery, Destination, DestinationKind
from gptstudio.notify.webhooks import secret_of


class WebhookShape(serializers.ModelSerializer):
    """`secret` signs what is sent, as Standard Webhooks has it: see docs/webhooks.md."""

    url = serializers.CharField(source="address")
    events = serializers.ListField(child=serializers.CharField())
    secret = serializers.SerializerMethodField()

    class Meta:
        model = Destination
        fields = ("id", "url", "events", "secret", "created_at")

    def get_secret(self, destination: Destination) -> str:
        return secret_of(destination.id)


class WebhookEvents(serializers.Serializer):
    """Which events it is told of from now on."""

    events = serializers.ListField(child=serializers.ChoiceField(list(EVENTS)), allow_empty=False)


class WebhookBody(WebhookEvents):
    """A new one."""

    url = serializers.CharField(max_length=500)


class NoticeShape(serializers.ModelSerializer):
    """One notice: what was sent, how it stands and what came of the last try."""

    attempts = serializers.IntegerField()
    body = serializers.JSONField()

    class Meta:
        model = Delivery
        fields = ("id", "event", "title", "body", "state", "attempts", "answer", "next_at", "created_at", "sent_at")


class WebhookViews(NativeView):
    """Admins alone. An answer with a secret is not kept for repeats."""

    actions: ClassVar[dict[str, str]] = dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), "alerts.edit")
    parser_classes = [JSONParser]
    replays = False

    def found(self, destination_id: str) -> Destination:
        found = selectors.destination_of(self.workspace_id, destination_id)
        if found.kind != DestinationKind.WEBHOOK:
            raise Http404
        return found


class Webhooks(WebhookViews):
    """The workspace's URLs."""

    @extend_schema(
        operation_id="webhooks_list", responses=inline_serializer("WebhooksList", {"data": WebhookShape(many=True)})
    )
    def get(self, request: Request) -> Response:
        found: Any = selectors.destinations_of(self.workspace_id).filter(kind=DestinationKind.WEBHOOK)
        return Response({"data": [WebhookShape(each).data for each in found]})

    @extend_schema(operation_id="webhooks_add", request=WebhookBody, responses={201: WebhookShape})
    def post(self, request: Request) -> Response:
        """It may lead to the open internet alone, unless the operator allows private addresses. To be told of jobs it
        takes the scope jobs:read too, of reviews reviews:read."""
        body = self.given(WebhookBody)
        made = services.add_destination(
            self.actor,
            workspace_id=self.workspace_id,
            kind=DestinationKind.WEBHOOK,
            address=body["url"],
            events=body["events"],
        )
        return Response(WebhookShape(made).data, status=201)


class WebhookOne(WebhookViews, Tagged):
    """One of them."""

    tagged = ("id", "url", "events")

    def shown(self, found: Destination) -> dict[str, Any]:
        return dict(WebhookShape(found).data)

    @extend_schema(operation_id="webhooks_read", parameters=[ETAG], responses=WebhookShape)
    def get(self, request: Request, destination_id: str) -> Response:
        return self.seen(self.found(destination_id))

    @extend_schema(
        operation_id="webhooks_change", parameters=[IF_MATCH, ETAG], request=WebhookEvents, responses=WebhookShape
    )
    def patch(self, request: Request, destination_id: str) -> Response:
        with self.unchanged(lambda: self.found(destination_id)) as found:
            services.choose_events(self.actor, destination=found, **self.given(WebhookEvents))
            return self.seen(found)

    @extend_schema(operation_id="webhooks_remove", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, destination_id: str) -> Response:
        with self.unchanged(lambda: self.found(destination_id)) as found:
            services.remove_destination(self.actor, destination=found)
        return Response(status=204)


class TestWebhook(WebhookViews):
    """A notice that tells of nothing."""

    @extend_schema(operation_id="webhooks_test", request=None, responses={202: NoticeShape})
    def post(self, request: Request, destination_id: str) -> Response:
        """It leaves within seconds; its delivery says what came of it."""
        made = services.send_test(self.actor, destination=self.found(destination_id))
        return Response(NoticeShape(made).data, status=202)


class WebhookDeliveries(WebhookViews):
    """What became of each notice, for a month; of jobs and reviews for keys alone that may see them."""

    @extend_schema(
        operation_id="webhooks_deliveries",
        parameters=LIST_PARAMETERS,
        responses=page_of(NoticeShape, "WebhookDeliveriesPage"),
    )
    def get(self, request: Request, destination_id: str) -> Response:
        rows = deliveries_for(self.actor).filter(destination=self.found(destination_id))
        return self.listed(rows, lambda each: NoticeShape(each).data)
