"""By whose clock one is told times: the browser's own, or a zone of one's choice."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.accounts import services
from gptstudio.core.zones import zone_names
from gptstudio.web.access import FORM, MemberRequest, signed_in_page
from gptstudio.web.forms import StudioForm


class TimesForm(StudioForm):
    """One zone, or none."""

    time_zone = forms.ChoiceField(label="Time zone", required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        places = sorted(each for each in zone_names() if "/" in each and not each.startswith("Etc/"))
        shown = [(each, each.replace("_", " ")) for each in ["UTC", *places]]
        self.fields["time_zone"].choices = [("", "As my browser says"), *shown]  # type: ignore[attr-defined]


@signed_in_page(FORM)
def times(request: MemberRequest) -> HttpResponse:
    """See and choose it."""
    form = TimesForm(request.POST or None, initial={"time_zone": request.user.time_zone})  # type: ignore[union-attr]
    if request.method == "POST" and form.is_valid():
        services.choose_time_zone(request.user, name=form.cleaned_data["time_zone"])  # type: ignore[arg-type]
        messages.success(request, "Saved.")
        return redirect("times")
    return render(request, "account/times.html", {"form": form}, status=400 if form.errors else 200)
