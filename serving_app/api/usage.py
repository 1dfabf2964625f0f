"""/api/v1/usage and /api/v1/requests: sums of the ledger, as JSON and as CSV, and the request log."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.core.errors import Invalid
from serving_app import selectors, services
from serving_app.models import Completion, KeptTexts
from serving_app.months import today
from serving_app.selectors.export import usage_csv

BY = {"day": "day", "key": "api_key_id", "member": "user_id", "model": "model_name"}
MOST_DAYS = 366
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)  # room on both sides for what is worked out from a day
PARAMETERS = [
    OpenApiParameter("since", date, description="The first day; 30 days ago when not given."),
    OpenApiParameter("until", date, description="The last day; today when not given."),
    OpenApiParameter(
        "by", str, description="What to sum by, with commas between: day, key, member, model. All of them."
    ),
]


class UsageRow(serializers.Serializer):
    """Sums of one group; the names that were not asked for are missing. `key` is null for the playground."""

    day = serializers.DateField(required=False)
    key = serializers.CharField(required=False, allow_null=True)
    member = serializers.CharField(required=False, allow_blank=True)
    model = serializers.CharField(required=False)
    requests = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    cached_tokens = serializers.IntegerField(
        help_text="Of the prompt tokens, those that the engine had worked out before."
    )
    completion_tokens = serializers.IntegerField()
    cost_micro = serializers.IntegerField(help_text="Millionths of the currency unit.")


class RequestShape(serializers.ModelSerializer):
    """One request. Neither its question nor its answer is kept here."""

    key = serializers.CharField(source="api_key_id", allow_null=True)
    model = serializers.CharField(source="model_name")
    deployment = serializers.CharField(source="deployment.name", allow_null=True, default=None)
    first_token_ms = serializers.IntegerField(allow_null=True)  # bounds would follow the database
    total_ms = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Completion
        fields = (
            "id", "key", "user_id", "model", "deployment", "endpoint", "streamed", "state", "finish_reason",
            "error_code", "first_token_ms", "total_ms", "created_at",
        )  # fmt: skip


class BillShape(RequestShape):
    """The same with its bill. `settled` is false while it runs or its engine's count is awaited."""

    bill = inline_serializer(
        "Bill",
        {
            "settled": serializers.BooleanField(),
            "prompt_tokens": serializers.IntegerField(),
            "cached_tokens": serializers.IntegerField(),
            "completion_tokens": serializers.IntegerField(),
            "cost_micro": serializers.IntegerField(),
            "estimated": serializers.BooleanField(help_text="The engine gave no count."),
        },
    )

    class Meta(RequestShape.Meta):
        fields = (*RequestShape.Meta.fields, "bill")  # type: ignore[assignment]


def _day(request: Request, name: str, otherwise: date) -> date:
    raw = request.query_params.get(name, otherwise.isoformat())
    try:
        found = date.fromisoformat(raw)
        if found.isoformat() != raw:
            raise ValueError(raw)
    except ValueError as error:
        raise Invalid(f"{name} is {raw[:40]!r}.", fix="Write a day as 2026-03-31.", param=name) from error
    if not EARLIEST <= found <= LATEST:
        raise Invalid(f"{name} is {found}.", fix=f"Ask for days from {EARLIEST} to {LATEST}.", param=name)
    return found


def _span(request: Request) -> tuple[date, date]:
    """The first day and the one behind the last."""
    until = _day(request, "until", today())
    since = _day(request, "since", until - timedelta(days=29))
    if not 0 <= (until - since).days < MOST_DAYS:
        raise Invalid(f"{since} to {until} is no span.", fix=f"Ask for 1 to {MOST_DAYS} days.", param="since")
    return since, until + timedelta(days=1)


def _rows(request: Request, workspace_id: str) -> list[dict[str, Any]]:
    names = [name for name in request.query_params.get("by", ",".join(BY)).split(",") if name]
    if not names or set(names) - set(BY):
        raise Invalid(f"by is {','.join(names)[:40]!r}.", fix=f"Choose from {', '.join(BY)}.", param="by")
    since, until = _span(request)
    rows = selectors.daily(workspace_id, since=since, until=until, by=[BY[name] for name in dict.fromkeys(names)])
    shown = {column: name for name, column in BY.items()}
    return [{shown.get(column, column): value for column, value in row.items()} for row in rows]


class Usage(NativeView):
    """What was asked and what it cost."""

    actions: ClassVar[dict[str, str]] = {"GET": "usage.view"}

    @extend_schema(
        operation_id="usage_read",
        parameters=PARAMETERS,
        responses=inline_serializer("UsageSums", {"data": UsageRow(many=True)}),
    )
    def get(self, request: Request) -> Response:
        """Whole days, newest first, from sums that equal the ledger's."""
        return Response({"data": _rows(request, self.workspace_id)})


class UsageExport(NativeView):
    """The same as CSV."""

    actions: ClassVar[dict[str, str]] = {"GET": "usage.view"}

    @extend_schema(
        operation_id="usage_export", parameters=PARAMETERS[:2], responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    def get(self, request: Request) -> HttpResponse:
        """By day, key, member and model; no cell runs as a formula."""
        since, until = _span(request)
        return csv_answer(usage_csv(self.workspace_id, since=since, until=until))


def csv_answer(text: str) -> HttpResponse:
    """A download."""
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="usage.csv"'
    return response


class Requests(NativeView):
    """The request log."""

    actions: ClassVar[dict[str, str]] = {"GET": "usage.view"}

    @extend_schema(
        operation_id="requests_list", parameters=LIST_PARAMETERS, responses=page_of(RequestShape, "RequestsPage")
    )
    def get(self, request: Request) -> Response:
        return self.listed(selectors.requests_of(self.workspace_id), lambda each: RequestShape(each).data)


class RequestOne(NativeView):
    """One request, by the id in its answer's `x-request-id`, or by the answer's own `id`."""

    actions: ClassVar[dict[str, str]] = {"GET": "usage.view"}

    @extend_schema(operation_id="requests_read", responses=BillShape)
    def get(self, request: Request, request_id: str) -> Response:
        bill = selectors.usage_of(self.workspace_id, request_id)
        row = selectors.request_named(self.workspace_id, request_id)
        names = ("settled", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_micro", "estimated")
        return Response({**RequestShape(row).data, "bill": {name: getattr(bill, name) for name in names}})


class TextsShape(serializers.ModelSerializer):
    """What was asked and answered, scrubbed of personal data before it was kept."""

    request = serializers.CharField(source="request_id")
    question = serializers.JSONField(help_text="`messages` or `prompt`, as they were sent.")
    answers = inline_serializer(
        "KeptAnswer",
        {
            "content": serializers.CharField(allow_blank=True),
            "finish_reason": serializers.CharField(allow_blank=True),
            "calls": inline_serializer(
                "KeptCall", {"name": serializers.CharField(), "arguments": serializers.CharField()}, many=True
            ),
        },
        many=True,
    )

    class Meta:
        model = KeptTexts
        fields = ("request", "question", "answers", "created_at")


class RequestTexts(NativeView):
    """The texts of one request, where the workspace keeps them."""

    actions: ClassVar[dict[str, str]] = {"GET": "reviews.view", "DELETE": "data.erase"}

    @extend_schema(operation_id="requests_texts", responses=TextsShape)
    def get(self, request: Request, request_id: str) -> Response:
        kept = services.read_texts(self.actor, workspace_id=self.workspace_id, request_id=request_id)
        return Response(TextsShape(kept).data)

    @extend_schema(operation_id="requests_texts_delete", responses={204: None})
    def delete(self, request: Request, request_id: str) -> Response:
        """The request itself and its bill stay."""
        services.delete_texts(self.actor, texts=selectors.texts_of(self.workspace_id, request_id))
        return Response(status=204)
