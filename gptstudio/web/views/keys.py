"""API keys: list, issue, revoke. A secret is shown once, on the page that answers the form."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from gptstudio.accounts import policies, selectors, services
from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.forms import StudioForm, WholeMoney

LIFETIMES = (("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))
USUAL = ["chat", "models:read"]


class KeyForm(StudioForm):
    """What the key is for, what it may do, and its limits."""

    name = forms.CharField(label="Name", max_length=80, help_text="The program that will use it, such as “website”.")
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=list(policies.SCOPE_HINTS.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one: a key that may do nothing is of no use."},
    )
    lifetime = forms.ChoiceField(label="Expires", choices=LIFETIMES, required=False)
    budget_micro = WholeMoney(label="Budget", help_text="It stops answering when this much is spent. Empty: no limit.")
    requests_per_minute = forms.IntegerField(
        label="Requests a minute", min_value=1, max_value=100_000, required=False, help_text="Empty: no limit."
    )


@member_page("keys.view")
def keys(request: MemberRequest) -> HttpResponse:
    """The workspace's keys, revoked ones included."""
    found = selectors.keys_of(request.actor.workspace_id)
    return render(request, "web/keys.html", {"keys": found})


@member_page("keys.edit", FORM)
def new(request: MemberRequest) -> HttpResponse:
    """Issue a key; its secret is on the answering page and nowhere else."""
    form = KeyForm(request.POST or None, initial={"scopes": USUAL})
    if request.method == "POST" and form.is_valid():
        options = dict(form.cleaned_data)
        days = options.pop("lifetime")
        expires = timezone.now() + timedelta(days=int(days)) if days else None
        try:
            key, secret = services.issue_key(
                request.actor, workspace_id=request.actor.workspace_id, expires_at=expires, **options
            )
        except StudioError as error:
            form.refuse(error)
        else:
            shown = render(request, "web/key_made.html", {"key": key, "secret": secret, "base": _base_url(request)})
            shown.headers["Cache-Control"] = "no-store"
            return shown
    return render(request, "web/key_new.html", {"form": form}, status=400 if form.errors else 200)


def _base_url(request: MemberRequest) -> str:
    return request.build_absolute_uri("/v1")


@member_page("keys.edit", ACT)
def revoke(request: MemberRequest, key_id: str) -> HttpResponse:
    """Close a key at once."""
    key = services.revoke_key(request.actor, key=selectors.key_of(request.actor.workspace_id, key_id))
    messages.success(request, f"{key.name} is revoked. Programs that used it get an error from now on.")
    return redirect("web:keys")
