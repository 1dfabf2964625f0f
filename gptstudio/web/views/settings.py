"""The workspace's settings: who releases models, and the way to the others."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import ReleasePolicy
from gptstudio.web.access import FORM, MemberRequest, member_page
from gptstudio.web.forms import StudioForm


class PolicyForm(StudioForm):
    """Who may release a model."""

    policy = forms.ChoiceField(label="Who may release a model", choices=ReleasePolicy.choices, widget=forms.RadioSelect)


@member_page("workspace.view", FORM, to_post="settings.edit")
def settings(request: MemberRequest) -> HttpResponse:
    """See the settings; those who may change them do so here."""
    workspace = request.membership.workspace
    form = PolicyForm(request.POST or None, initial={"policy": workspace.release_policy})
    if request.method == "POST" and form.is_valid():
        services.set_release_policy(request.actor, workspace=workspace, policy=form.cleaned_data["policy"])
        messages.success(request, "Saved. It holds for every release from now on.")
        return redirect("web:settings")
    count = selectors.members_of(workspace.id).count() if request.actor.may("members.view") else None
    context = {"workspace": workspace, "form": form, "count": count}
    return render(request, "web/settings.html", context, status=400 if form.errors else 200)
