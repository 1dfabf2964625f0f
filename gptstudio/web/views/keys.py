"""API keys: list, issue, change, rotate, revoke. A secret is shown once, on the page that answers the form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.db.models.functions import Lower
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from gptstudio.accounts import policies, selectors, services
from gptstudio.accounts.models import ApiKey
from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.forms import Origins, StudioForm, WholeMoney, amount
from gptstudio.web.lists import Choice, Sorts, listed
from gptstudio.web.model_names import names_of
from gptstudio.web.once import made_once

LIFETIMES = (("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))
OVERLAPS = (
    ("0", "At once"),
    ("60", "In an hour"),
    ("1440", "In a day"),
    ("10080", "In a week"),
    ("43200", "In 30 days"),
)
WAYS = (("key", "With the key itself"), ("client", "As an OAuth client, with tokens"))
SORTS: Sorts = {"name": Lower("name"), "budget": "budget_micro", "made": "created_at"}
FOUND_IN = ("name", "prefix", "created_by__email", "created_by__name")
USUAL = ["chat", "models:read"]
LIMITS = (
    "allowed_models",
    "budget_micro",
    "soft_budget_micro",
    "monthly_budget_micro",
    "soft_monthly_budget_micro",
    "requests_per_minute",
    "tokens_per_minute",
    "parallel_requests",
)
NO_LIMIT = "Empty: no limit."


class LimitsForm(StudioForm):
    """What a key is called, which models it may ask, and how much."""

    name = forms.CharField(label="Name", max_length=80, help_text="The program that will use it, such as “website”.")
    allowed_models = forms.MultipleChoiceField(
        label="Which models it may ask", required=False, widget=forms.CheckboxSelectMultiple
    )
    budget_micro = WholeMoney(label="Budget", help_text="It stops answering when this much is spent. Empty: no limit.")
    soft_budget_micro = WholeMoney(
        label="Tell us at", help_text="People are told once this much is spent. Empty: never."
    )
    monthly_budget_micro = WholeMoney(
        label="Budget for a month", help_text="The same for each calendar month. Empty: no limit."
    )
    soft_monthly_budget_micro = WholeMoney(label="Tell us at, in a month", help_text="Empty: never.")
    requests_per_minute = forms.IntegerField(
        label="Requests a minute", min_value=1, max_value=100_000, required=False, help_text=NO_LIMIT
    )
    tokens_per_minute = forms.IntegerField(
        label="Tokens a minute", min_value=1, max_value=2_000_000_000, required=False, help_text=NO_LIMIT
    )
    parallel_requests = forms.IntegerField(
        label="Requests at a time", min_value=1, max_value=10_000, required=False, help_text=NO_LIMIT
    )

    def __init__(self, *args: Any, workspace_id: str, key: ApiKey | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if key is not None and key.is_publishable:  # it keeps to its deployment
            del self.fields["allowed_models"]
            self.fields["origins"] = Origins()
            return
        held = key.allowed_models if key else []
        sent = self.data.getlist("allowed_models") if isinstance(self.data, QueryDict) else []
        known = names_of(workspace_id, also=[*held, *sent])
        gone = [name for name in held if name not in known]
        field = self.fields["allowed_models"]
        field.choices = [(name, name) for name in [*known, *gone]]  # type: ignore[attr-defined]


class KeyForm(LimitsForm):
    """The same for a new key, with what it may do."""

    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=list(policies.SCOPE_HINTS.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one: a key that may do nothing is of no use."},
    )
    lifetime = forms.ChoiceField(label="Expires", choices=LIFETIMES, required=False)
    way = forms.ChoiceField(
        label="How it signs in",
        choices=WAYS,
        required=False,
        help_text="OAuth is for programs that must not keep a lasting key: a token passes within the hour.",
    )


class RotateForm(StudioForm):
    """Until when the secret in use works beside the new one."""

    minutes = forms.ChoiceField(label="The old secret stops working", choices=OVERLAPS, initial="1440")


@member_page("keys.view")
def keys(request: MemberRequest) -> HttpResponse:
    """The workspace's keys, revoked ones included."""
    found = selectors.keys_of(request.actor.workspace_id)
    listing = listed(request, found, sorts=SORTS, usual="-made", find=FOUND_IN, choices=[_states()])
    return render(request, "web/keys.html", {"listing": listing})


def _states() -> Choice:
    expired = Q(expires_at__lte=timezone.now())
    live, revoked = Q(revoked_at=None) & ~expired, Q(revoked_at__isnull=False)
    return Choice(
        "state",
        "State",
        {
            "live": ("Live", live & Q(paused_at=None)),
            "paused": ("Paused", live & Q(paused_at__isnull=False)),
            "expired": ("Expired", expired & Q(revoked_at=None)),
            "revoked": ("Revoked", revoked),
        },
    )


def _shown_once(request: MemberRequest, key: ApiKey, secret: str) -> HttpResponse:
    context = {"key": key, "secret": secret, "tokens": request.build_absolute_uri(reverse("oauth-token"))}
    shown = render(request, "web/key_made.html", context)
    shown.headers["Cache-Control"] = "no-store"
    return shown


@member_page("keys.edit", FORM)
@made_once(shows=True)
def new(request: MemberRequest) -> HttpResponse:
    """Issue a key; its secret is on the answering page and nowhere else."""
    workspace_id = request.actor.workspace_id
    form = KeyForm(request.POST or None, initial={"scopes": USUAL}, workspace_id=workspace_id)
    if request.method == "POST" and form.is_valid():
        options = dict(form.cleaned_data)
        days = options.pop("lifetime")
        as_client = options.pop("way") == "client"
        expires = timezone.now() + timedelta(days=int(days)) if days else None
        try:
            key, secret = services.issue_key(
                request.actor, workspace_id=workspace_id, expires_at=expires, as_client=as_client, **options
            )
        except StudioError as error:
            form.refuse(error)
        else:
            return _shown_once(request, key, secret)
    return render(request, "web/key_new.html", {"form": form}, status=400 if form.errors else 200)


@member_page("keys.view", FORM, to_post="keys.edit")
def key(request: MemberRequest, key_id: str) -> HttpResponse:
    """One key: its secrets, and its limits, which those who may change on this page."""
    found = selectors.key_of(request.actor.workspace_id, key_id)
    start = {"name": found.name, "origins": found.origins} | {name: getattr(found, name) for name in LIMITS}
    start |= {name: amount(getattr(found, name)) for name in LIMITS if "budget" in name}
    form = LimitsForm(request.POST or None, initial=start, workspace_id=found.workspace_id, key=found)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_key(request.actor, key=found, **form.cleaned_data)
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved. It holds from the next request on.")
            return redirect("web:key", key_id)
    context = {"key": found, "form": form, "rotate": RotateForm()}
    return render(request, "web/key.html", context, status=400 if form.errors else 200)


@member_page("keys.edit", ACT)
def rotate(request: MemberRequest, key_id: str) -> HttpResponse:
    """A new secret, shown on the answering page; the old one works until the chosen time."""
    found = selectors.key_of(request.actor.workspace_id, key_id)
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose when the old secret stops working.")
        return redirect("web:key", key_id)
    lasting = timedelta(minutes=int(form.cleaned_data["minutes"]))
    until = None if found.is_client else timezone.now() + lasting
    return _shown_once(request, *services.rotate_key(request.actor, key=found, old_works_until=until))


@member_page("keys.edit", ACT)
def revoke(request: MemberRequest, key_id: str) -> HttpResponse:
    """Close a key at once."""
    closed = services.revoke_key(request.actor, key=selectors.key_of(request.actor.workspace_id, key_id))
    messages.success(request, f"{closed.name} is revoked. Programs that used it get an error from now on.")
    return redirect("web:keys")


@member_page("keys.edit", ACT)
def pause(request: MemberRequest, key_id: str) -> HttpResponse:
    """Stop a key without losing it."""
    found = selectors.key_of(request.actor.workspace_id, key_id)
    services.pause_key(request.actor, key=found, reason=request.POST.get("reason", ""))
    messages.success(request, f"{found.name} is paused. Programs that use it get an error until you let it go on.")
    return redirect("web:key", key_id)


@member_page("keys.edit", ACT)
def resume(request: MemberRequest, key_id: str) -> HttpResponse:
    """Let a paused key go on."""
    found = selectors.key_of(request.actor.workspace_id, key_id)
    services.resume_key(request.actor, key=found, reason=request.POST.get("reason", ""))
    messages.success(request, f"{found.name} goes on, from the next request.")
    return redirect("web:key", key_id)
