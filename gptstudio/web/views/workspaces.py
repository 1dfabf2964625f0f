"""First visit: make a workspace. Later: choose in which one to work."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import ReleasePolicy
from gptstudio.core.errors import NotFound, StudioError
from gptstudio.web.access import MemberRequest
from gptstudio.web.forms import StudioForm


class WorkspaceForm(StudioForm):
    """A name, and who may release models."""

    name = forms.CharField(
        label="Name", max_length=80, help_text="Your team or organisation. People outside of it see nothing of it."
    )
    release_policy = forms.ChoiceField(
        label="Who may release a model",
        choices=ReleasePolicy.choices,
        initial=ReleasePolicy.TWO_PERSON,
        help_text="Only a released model answers programs. You can change this later in the settings.",
    )


@login_required
def workspaces(request: MemberRequest) -> HttpResponse:
    """Where one is a member."""
    return render(request, "web/workspaces.html", {"memberships": selectors.memberships_of(request.user)})  # type: ignore[arg-type]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
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
    return render(request, template, {"form": form}, status=400 if form.errors else 200)


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Work in another of one's own workspaces."""
    wanted = request.POST.get("workspace", "")
    if not any(each.workspace_id == wanted for each in selectors.memberships_of(request.user)):  # type: ignore[arg-type]
        raise NotFound("You are not a member of that workspace.", fix="Ask one of its admins to let you in.")
    request.session["workspace"] = wanted
    return redirect("home")
