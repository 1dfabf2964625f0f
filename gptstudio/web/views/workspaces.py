"""First visit: make a workspace, or join one. Later: choose in which one to work."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import ReleasePolicy
from gptstudio.core.errors import NotFound, StudioError
from gptstudio.web import invited
from gptstudio.web.access import ACT, FORM, MemberRequest, signed_in_page
from gptstudio.web.forms import StudioForm
from gptstudio.web.once import made_once


class WorkspaceForm(StudioForm):
    """A name, and who may release models."""

    name = forms.CharField(
        label="Name", max_length=80, help_text="Your team or organisation. People outside of it see nothing of it."
    )
    release_policy = forms.ChoiceField(
        label="Who may release a model",
        choices=ReleasePolicy.choices,
        initial=ReleasePolicy.TWO_PERSON,
        help_text="Only a released model answers programs. Where it takes two people, invite the second under Settings, Members. "
        "You can change this later.",
    )


@signed_in_page()
def workspaces(request: MemberRequest) -> HttpResponse:
    """Where one is a member."""
    context = {"memberships": selectors.memberships_of(request.user), **_open_to(request)}  # type: ignore[arg-type]
    return render(request, "web/workspaces.html", context)


def _open_to(request: MemberRequest) -> dict[str, Any]:
    """Where this person may come in: by the invitation whose page they saw, and by their verified addresses."""
    return {"invitation": invited.at_hand(request), "joinable": selectors.workspaces_to_join(request.user)}  # type: ignore[arg-type]


@signed_in_page(FORM)
@made_once()
def new(request: MemberRequest) -> HttpResponse:
    """Make a workspace and go on in it."""
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            workspace = services.create_workspace(owner=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except StudioError as error:
            form.refuse(error)
        else:
            request.session["workspace"] = workspace.id
            messages.success(request, f"{workspace.name} is ready. Upload your first data to begin.")
            return redirect("home")
    template = "web/workspace_new.html" if request.membership else "web/workspace_first.html"
    return render(request, template, {"form": form, **_open_to(request)}, status=400 if form.errors else 200)


@signed_in_page(ACT)
def join(request: HttpRequest) -> HttpResponse:
    """Become a viewer where a verified address of one's own lets in."""
    joined = services.join_workspace(user=request.user, workspace_id=request.POST.get("workspace", ""))  # type: ignore[arg-type]
    request.session["workspace"] = joined.workspace_id
    messages.success(request, "You are in, as viewer. An admin there can give you another role.")
    return redirect("home")


@signed_in_page(ACT)
def switch(request: HttpRequest) -> HttpResponse:
    """Work in another of one's own workspaces."""
    wanted = request.POST.get("workspace", "")
    if not any(each.workspace_id == wanted for each in selectors.memberships_of(request.user)):  # type: ignore[arg-type]
        raise NotFound("You are not a member of that workspace.", fix="Ask one of its admins to let you in.")
    request.session["workspace"] = wanted
    return redirect("home")
