"""Alerts: the rules, and who is told of them."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.core.errors import StudioError
from gptstudio.notify import selectors as notices
from gptstudio.notify.events import ALERTS
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.forms import StudioForm
from gptstudio.web.once import made_once
from serving_app import selectors, services
from serving_app.models import AlertKind


class RuleForm(StudioForm):
    """When to tell."""

    kind = forms.ChoiceField(label="Tell us when", choices=AlertKind.choices)
    threshold = forms.FloatField(
        label="More than",
        min_value=0,
        required=False,
        help_text="Milliseconds that 95 % of answers keep within, or percent of requests; none for engines.",
    )
    minutes = forms.IntegerField(label="Over how many minutes", min_value=1, max_value=1_440, initial=5)


@member_page("alerts.edit", FORM)
@made_once()
def alerts(request: MemberRequest) -> HttpResponse:
    """The page; its form adds a rule."""
    workspace_id = request.actor.workspace_id
    form = RuleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.create_rule(request.actor, workspace_id=workspace_id, **form.cleaned_data)
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved.")
            return redirect("serving:alerts")
    told = [each for each in notices.destinations_of(workspace_id) if set(each.events) & set(ALERTS)]
    context = {"rules": selectors.rules_of(workspace_id), "form": form, "told": told}
    return render(request, "serving/alerts.html", context, status=400 if form.errors else 200)


@member_page("alerts.edit", ACT)
def remove_rule(request: MemberRequest, rule_id: str) -> HttpResponse:
    """Nobody is told of it any more."""
    services.remove_rule(request.actor, rule=selectors.rule_of(request.actor.workspace_id, rule_id))
    messages.success(request, "The rule is gone.")
    return redirect("serving:alerts")
