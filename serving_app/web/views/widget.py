"""A chat for web pages: a publishable key for one deployment, and the line to paste into a site."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.templatetags.static import static

from gptstudio.accounts import services as people
from gptstudio.core.errors import StudioError
from gptstudio.web.access import FORM, MemberRequest, member_page
from gptstudio.web.forms import Origins, StudioForm, WholeMoney
from serving_app import selectors


class WidgetForm(StudioForm):
    """On which sites, and how much may be asked there."""

    name = forms.CharField(label="Name", max_length=80, help_text="The site, such as “shop”.")
    origins = Origins()
    requests_per_minute = forms.IntegerField(
        label="Questions a minute", min_value=1, max_value=100_000, initial=30, help_text="By all visitors together."
    )
    budget_micro = WholeMoney(label="Budget", help_text="It stops answering when this much is spent. Empty: no limit.")
    monthly_budget_micro = WholeMoney(
        label="Budget for a month", help_text="The same for each calendar month. Empty: no limit."
    )


@member_page("keys.edit", FORM)
def widget(request: MemberRequest, deployment_id: str) -> HttpResponse:
    """Issue the key; the line to paste is on the answering page."""
    deployment = selectors.deployment_of(request.actor.workspace_id, deployment_id)
    form = WidgetForm(request.POST if request.method == "POST" else None, initial={"name": deployment.name})
    if request.method == "POST" and form.is_valid():
        try:
            key, secret = people.issue_key(
                request.actor,
                workspace_id=deployment.workspace_id,
                scopes=["chat"],
                allowed_models=[deployment.name],
                **form.cleaned_data,
            )
        except StudioError as error:
            form.refuse(error)
        else:
            script = request.build_absolute_uri(static("studio/widget.js"))
            context = {"deployment": deployment, "key": key, "secret": secret, "script": script}
            shown = render(request, "serving/widget_made.html", context)
            shown.headers["Cache-Control"] = "no-store"
            return shown
    context = {"deployment": deployment, "form": form}
    return render(request, "serving/widget.html", context, status=400 if form.errors else 200)
