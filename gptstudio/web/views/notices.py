"""Who is told of what, by webhook and by e-mail, and what became of each notice."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.accounts import services
from gptstudio.core.errors import StudioError
from gptstudio.notify import selectors
from gptstudio.notify.events import EVENTS
from gptstudio.notify.models import Delivery, DeliveryState, DestinationKind
from gptstudio.notify.webhooks import secret_of
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.forms import StudioForm
from gptstudio.web.lists import Listing, by_field, listed
from gptstudio.web.once import made_once

SORTS = {"when": "created_at", "what": "event", "tries": "attempts"}
FOUND_IN = ("title", "event", "destination__address")
STATES = by_field("state", "State", DeliveryState.choices)


class EventsForm(StudioForm):
    """Of what to tell."""

    events = forms.MultipleChoiceField(
        label="Tell it when",
        choices=list(EVENTS.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )


class DestinationForm(EventsForm):
    """Whom to tell, and of what."""

    kind = forms.ChoiceField(label="How", choices=DestinationKind.choices, initial=DestinationKind.WEBHOOK)
    address = forms.CharField(label="Address", max_length=500, help_text="https://example.org/hook or name@example.org")


def _told(request: MemberRequest, rows: QuerySet[Delivery]) -> Listing:
    """What was told, newest first."""
    return listed(request, rows, sorts=SORTS, usual="-when", find=FOUND_IN, choices=[STATES])


@member_page("alerts.edit", FORM)
@made_once()
def notices(request: MemberRequest) -> HttpResponse:
    """The page; its form adds a destination."""
    workspace_id = request.actor.workspace_id
    form = DestinationForm(request.POST or None, initial={"events": list(EVENTS)})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.add_destination(request.actor, workspace_id=workspace_id, **form.cleaned_data)
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, "Added. Send a test to see whether it arrives.")
            return redirect("web:notice-destination", made.id)
    context = {
        "form": form,
        "destinations": selectors.destinations_of(workspace_id),
        "listing": _told(request, selectors.deliveries_of(workspace_id)),
    }
    return render(request, "web/notices.html", context, status=400 if form.errors else 200)


@member_page("alerts.edit", FORM)
def destination(request: MemberRequest, destination_id: str) -> HttpResponse:
    """One destination: of what it is told, how to check the signature, and what became of its notices."""
    found = selectors.destination_of(request.actor.workspace_id, destination_id)
    form = EventsForm(request.POST if request.method == "POST" else None, initial={"events": found.events})
    if request.method == "POST" and form.is_valid():
        services.choose_events(request.actor, destination=found, events=form.cleaned_data["events"])
        messages.success(request, "Saved. It holds for what happens from now on.")
        return redirect("web:notice-destination", found.id)
    context = {
        "destination": found,
        "form": form,
        "secret": secret_of(found.id) if found.kind == DestinationKind.WEBHOOK else "",
        "listing": _told(request, selectors.deliveries_of(found.workspace_id).filter(destination=found)),
    }
    return render(request, "web/notice_destination.html", context, status=400 if form.errors else 200)


@member_page("alerts.edit", ACT)
def test(request: MemberRequest, destination_id: str) -> HttpResponse:
    """Send a notice that tells of nothing."""
    found = selectors.destination_of(request.actor.workspace_id, destination_id)
    services.send_test(request.actor, destination=found)
    messages.success(request, "A test leaves within seconds. Reload the page to see what came of it.")
    return redirect("web:notice-destination", found.id)


@member_page("alerts.edit", ACT)
def remove(request: MemberRequest, destination_id: str) -> HttpResponse:
    """Nothing more goes there."""
    found = selectors.destination_of(request.actor.workspace_id, destination_id)
    services.remove_destination(request.actor, destination=found)
    messages.success(request, f"{found.address} is told nothing any more.")
    return redirect("web:notices")


@member_page("alerts.edit", ACT)
def send_again(request: MemberRequest, delivery_id: str) -> HttpResponse:
    """Try a delivery anew."""
    found = selectors.delivery_of(request.actor.workspace_id, delivery_id)
    services.send_again(request.actor, delivery=found)
    messages.success(request, "It is on its way again.")
    return redirect("web:notices")
