"""Budgets and prices: what may be spent, what was, and what tokens cost from when on."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from gptstudio.accounts import selectors as people
from gptstudio.accounts.services import set_budget
from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.forms import StudioForm, WholeMoney, amount
from gptstudio.web.lists import listed
from gptstudio.web.once import made_once
from gptstudio.web.paging import page_of
from serving_app import selectors, services
from serving_app.prices import usual_price
from serving_app.selectors import Budget
from training_app.selectors.choosing import models_to_choose

SORTS = {"model": "model_name", "read": "prompt_micro", "written": "completion_micro", "from": "valid_from"}


class BudgetForm(StudioForm):
    """What may be spent, and from when on people are told: ever, and in each calendar month."""

    budget_micro = WholeMoney(label="At most, ever", help_text="Then models stop answering. Empty: no limit.")
    soft_budget_micro = WholeMoney(label="Tell us at, ever", help_text="Empty: never.")
    monthly_budget_micro = WholeMoney(label="At most in a month", help_text="Empty: no limit.")
    soft_monthly_budget_micro = WholeMoney(label="Tell us at, in a month", help_text="Empty: never.")


class PriceForm(StudioForm):
    """What a million tokens cost, from when on."""

    model_name = forms.ChoiceField(label="Model", required=False)
    prompt_micro = forms.DecimalField(label="A million tokens read", min_value=0, max_digits=12, decimal_places=6)
    completion_micro = forms.DecimalField(
        label="A million tokens written", min_value=0, max_digits=12, decimal_places=6
    )
    valid_from = forms.DateTimeField(
        label="From",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="By your clock. Empty: from now on.",
    )

    def __init__(self, *args: object, workspace_id: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        sent = [self.data.get("model_name", "")] if self.is_bound else []
        names = [(each.name, each.name) for each in models_to_choose(workspace_id, unreleased=True, also=sent)]
        self.fields["model_name"].choices = [("", "Every model without a price of its own"), *names]  # type: ignore[attr-defined]

    def clean_prompt_micro(self) -> int:
        return int(Decimal(self.cleaned_data["prompt_micro"]) * 1_000_000)

    def clean_completion_micro(self) -> int:
        return int(Decimal(self.cleaned_data["completion_micro"]) * 1_000_000)


@member_page("usage.view")
def budgets(request: MemberRequest) -> HttpResponse:
    """All budgets, the workspace's first."""
    found = selectors.budgets_of(request.actor.workspace_id)
    span = page_of(request, found)
    rows = [(each, BudgetForm(initial=_amounts(each), auto_id=f"id_{each.subject_id}_%s")) for each in span.rows]
    context = {
        "rows": rows,
        "span": span,
        "tab": "budgets",
        "renews_at": found[0].month.renews_at,
        "zone": settings.TIME_ZONE,
    }
    return render(request, "serving/budgets.html", context)


def _amounts(budget: Budget) -> dict[str, Decimal | None]:
    return {
        "budget_micro": amount(budget.ever.limit_micro),
        "soft_budget_micro": amount(budget.ever.soft_micro),
        "monthly_budget_micro": amount(budget.month.limit_micro),
        "soft_monthly_budget_micro": amount(budget.month.soft_micro),
    }


def _set(request: MemberRequest, of: object) -> HttpResponse:
    form = BudgetForm(request.POST)
    if form.is_valid():
        set_budget(request.actor, of=of, **form.cleaned_data)  # type: ignore[arg-type]
        messages.success(request, "Saved. It holds from the next request on.")
    else:
        messages.error(request, "A budget is an amount such as 25 or 0.50, or empty for no limit.")
    return redirect("serving:budgets")


@member_page("budgets.edit", ACT)
def set_workspace_budget(request: MemberRequest) -> HttpResponse:
    """The workspace's budget."""
    return _set(request, request.membership.workspace)


@member_page("budgets.edit", ACT)
def set_member_budget(request: MemberRequest, user_id: str) -> HttpResponse:
    """A member's budget."""
    return _set(request, people.member_of(request.actor.workspace_id, user_id))


@member_page("usage.view", FORM, to_post="prices.edit")
@made_once()
def prices(request: MemberRequest) -> HttpResponse:
    """Prices in force, past and to come; those who may set one do so here."""
    workspace_id = request.actor.workspace_id
    form = PriceForm(request.POST or None, workspace_id=workspace_id)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_price(request.actor, workspace_id=workspace_id, **form.cleaned_data)
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved. Requests that come from then on are billed by it.")
            return redirect("serving:prices")
    now = timezone.now()
    newest: dict[str, str] = {}
    for row in selectors.prices_of(workspace_id).filter(valid_from__lte=now):
        newest.setdefault(row.model_name, row.id)
    listing = listed(request, selectors.prices_of(workspace_id), sorts=SORTS, usual="model", find=["model_name"])
    rows = [
        (row, "scheduled" if row.valid_from > now else "in force" if row.id in newest.values() else "past")
        for row in listing.span.rows
    ]
    context = {"rows": rows, "listing": listing, "form": form, "usual": usual_price(), "tab": "prices"}
    return render(request, "serving/prices.html", context, status=400 if form.errors else 200)


@member_page("prices.edit", ACT)
def withdraw_price(request: MemberRequest, price_id: str) -> HttpResponse:
    """Take back a price that has not begun."""
    services.withdraw_price(request.actor, price=selectors.scheduled_price(request.actor.workspace_id, price_id))
    messages.success(request, "It will not come into force.")
    return redirect("serving:prices")
