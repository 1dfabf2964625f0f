"""/api/v1/budgets and /api/v1/prices: what may be spent, what was, and what tokens cost from when on."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.accounts import selectors as people
from gptstudio.accounts.services import set_budget
from gptstudio.api.base import NativeView
from serving_app import selectors, services
from serving_app.models import ModelPrice


class BudgetShape(serializers.Serializer):
    """Both budgets of one. Null: no limit, nobody is told. `spent_micro` is what was spent ever, `month_spent_micro` what
    requests spent that were let in in this calendar month, by the studio's time zone; at `month_renews_at` it begins anew.
    """

    kind = serializers.ChoiceField(choices=("workspace", "member", "key"), source="noun")
    id = serializers.CharField(source="subject_id")
    name = serializers.CharField()
    budget_micro = serializers.IntegerField(allow_null=True, source="ever.limit_micro")
    soft_budget_micro = serializers.IntegerField(allow_null=True, source="ever.soft_micro")
    spent_micro = serializers.IntegerField(source="ever.spent_micro")
    monthly_budget_micro = serializers.IntegerField(allow_null=True, source="month.limit_micro")
    soft_monthly_budget_micro = serializers.IntegerField(allow_null=True, source="month.soft_micro")
    month_spent_micro = serializers.IntegerField(source="month.spent_micro")
    month_renews_at = serializers.DateTimeField(source="month.renews_at")


class BudgetBody(serializers.Serializer):
    """Amounts in millionths. At hard ones requests are refused, at soft ones people are told. Monthly amounts that are left
    out stay as they are.
    """

    budget_micro = serializers.IntegerField(min_value=0, max_value=10**15, allow_null=True)
    soft_budget_micro = serializers.IntegerField(min_value=0, max_value=10**15, allow_null=True, default=None)
    monthly_budget_micro = serializers.IntegerField(min_value=0, max_value=10**15, allow_null=True, required=False)
    soft_monthly_budget_micro = serializers.IntegerField(min_value=0, max_value=10**15, allow_null=True, required=False)


class PriceShape(serializers.ModelSerializer):
    """Millionths for a million tokens. An empty model: all without a price of their own."""

    model = serializers.CharField(source="model_name", allow_blank=True)

    class Meta:
        model = ModelPrice
        fields = ("id", "model", "prompt_micro", "completion_micro", "valid_from", "created_at")


class PriceBody(serializers.Serializer):
    """A price from `valid_from` on, now when not given. The past cannot be changed."""

    model = serializers.CharField(max_length=200, allow_blank=True, default="")
    prompt_micro = serializers.IntegerField(min_value=0, max_value=10**12)
    completion_micro = serializers.IntegerField(min_value=0, max_value=10**12)
    valid_from = serializers.DateTimeField(required=False, allow_null=True)


def _listed(rows: Any, shape: type[serializers.BaseSerializer]) -> Response:
    return Response({"data": [shape(each).data for each in rows]})


class Budgets(NativeView):
    """All budgets with what was spent."""

    actions: ClassVar[dict[str, str]] = {"GET": "usage.view"}

    @extend_schema(
        operation_id="budgets_list", responses=inline_serializer("BudgetsList", {"data": BudgetShape(many=True)})
    )
    def get(self, request: Request) -> Response:
        """The workspace's, each member's, and those of live keys that have one. A key's is set at /api/v1/api-keys."""
        return _listed(selectors.budgets_of(self.workspace_id), BudgetShape)


class SetBudget(NativeView):
    """What both views below share."""

    actions: ClassVar[dict[str, str]] = {"PUT": "budgets.edit"}
    parser_classes = [JSONParser]

    def set(self, of: Any, noun: str, subject_id: str) -> Response:
        set_budget(self.actor, of=of, **self.given(BudgetBody))
        found = selectors.budgets_of(self.workspace_id)
        return Response(
            next(BudgetShape(each).data for each in found if (each.noun, each.subject_id) == (noun, subject_id))
        )


class WorkspaceBudget(SetBudget):
    """The workspace's budget."""

    @extend_schema(operation_id="budgets_set_workspace", request=BudgetBody, responses=BudgetShape)
    def put(self, request: Request) -> Response:
        return self.set(people.workspace(self.workspace_id), "workspace", self.workspace_id)


class MemberBudget(SetBudget):
    """A member's budget: what they ask themselves, and what the keys ask that they issued."""

    @extend_schema(operation_id="budgets_set_member", request=BudgetBody, responses=BudgetShape)
    def put(self, request: Request, user_id: str) -> Response:
        return self.set(people.member_of(self.workspace_id, user_id), "member", user_id)


class Prices(NativeView):
    """The workspace's prices, by model, the newest first."""

    actions: ClassVar[dict[str, str]] = {"GET": "usage.view", "POST": "prices.edit"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="prices_list", responses=inline_serializer("PricesList", {"data": PriceShape(many=True)})
    )
    def get(self, request: Request) -> Response:
        return _listed(selectors.prices_of(self.workspace_id), PriceShape)

    @extend_schema(operation_id="prices_set", request=PriceBody, responses={201: PriceShape})
    def post(self, request: Request) -> Response:
        """A request is billed by the price that is in force when it is let in."""
        body = self.given(PriceBody)
        made = services.set_price(self.actor, workspace_id=self.workspace_id, model_name=body.pop("model"), **body)
        return Response(PriceShape(made).data, status=201)


class PriceOne(NativeView):
    """One price that has not begun."""

    actions: ClassVar[dict[str, str]] = {"DELETE": "prices.edit"}

    @extend_schema(operation_id="prices_withdraw", responses={204: None})
    def delete(self, request: Request, price_id: str) -> Response:
        """Take it back; one that is or was in force stays."""
        services.withdraw_price(self.actor, price=selectors.scheduled_price(self.workspace_id, price_id))
        return Response(status=204)
