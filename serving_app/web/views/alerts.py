"""Alerts: the rules, where they are told, and what became of each notice."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.accounts import services as people
from gptstudio.core.errors import NotFound, StudioError
from gptstudio.notify import selectors as notices
from gptstudio.notify.models import DestinationKind
from gptstudio.notify.webhooks import secret_of
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.forms import StudioForm
from gptstudio.web.paging import page_of
from serving_app import selectors, services
from serving_app.models import AlertKind


class RuleForm(StudioForm):
    """When to tell."""

    prefix = "rule"
    kind = forms.ChoiceField(label="Tell us when", choices=AlertKind.choices)
    threshold = forms.FloatField(
        label="More than",
        min_value=0,
        required=False,
        help_text="Milliseconds that 95 % of answers keep within, or percent of requests; none for engines.",
    )
    minutes = forms.IntegerField(label="Over how many minutes", min_value=1, max_value=1_440, initial=5)


class DestinationForm(StudioForm):
    """Where to tell."""

    prefix = "to"
    kind = forms.ChoiceField(label="How", choices=DestinationKind.choices)
    address = forms.CharField(label="Address", max_length=500, help_text="name@example.org or https://example.org/hook")


@member_page("alerts.edit", FORM)
def alerts(request: MemberRequest) -> HttpResponse:
    """The page; its two forms add a rule and a destination."""
    workspace_id = request.actor.workspace_id
    sent = request.POST.get("form", "")
    rule = RuleForm(request.POST if sent == "rule" else None)
    to = DestinationForm(request.POST if sent == "to" else None)
    form = rule if sent == "rule" else to
    if request.method == "POST" and form.is_valid():
        try:
            if sent == "rule":
                services.create_rule(request.actor, workspace_id=workspace_id, **form.cleaned_data)
            else:
                people.add_destination(request.actor, workspace_id=workspace_id, **form.cleaned_data)
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved.")
            return redirect("serving:alerts")
    destinations = [
        (each, secret_of(each.id) if each.kind == DestinationKind.WEBHOOK else "")
        for each in notices.destinations_of(workspace_id)
    ]
    context = {
        "rules": selectors.rules_of(workspace_id),
        "destinations": destinations,
        "span": page_of(request, notices.deliveries_of(workspace_id)),
        "rule": rule,
        "to": to,
    }
    return render(request, "serving/alerts.html", context, status=400 if form.errors else 200)


@member_page("alerts.edit", ACT)
def remove_rule(request: MemberRequest, rule_id: str) -> HttpResponse:
    """Nobody is told of it any more."""
    services.remove_rule(request.actor, rule=selectors.rule_of(request.actor.workspace_id, rule_id))
    messages.success(request, "The rule is gone.")
    return redirect("serving:alerts")


@member_page("alerts.edit", ACT)
def remove_destination(request: MemberRequest, destination_id: str) -> HttpResponse:
    """Nothing more goes there."""
    found = notices.destination_of(request.actor.workspace_id, destination_id)
    people.remove_destination(request.actor, destination=found)
    messages.success(request, f"{found.address} is told nothing any more.")
    return redirect("serving:alerts")


@member_page("alerts.edit", ACT)
def send_again(request: MemberRequest, delivery_id: str) -> HttpResponse:
    """Try a delivery anew."""
    found = notices.deliveries_of(request.actor.workspace_id).filter(id=delivery_id).first()
    if found is None:
        raise NotFound(f"There is no delivery {delivery_id} in this workspace.")
    people.send_again(request.actor, delivery=found)
    messages.success(request, "It is on its way again.")
    return redirect("serving:alerts")
