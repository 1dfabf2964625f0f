"""Safety limits: what a model's safety report may measure before a person has to decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.core.errors import StudioError
from gptstudio.web.access import FORM, MemberRequest, member_page
from gptstudio.web.forms import StudioForm
from training_app import selectors, services
from training_app.engine.limits import LIMITS, limit_of


class LimitsForm(StudioForm):
    """One number a check; empty means the usual one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, limit in LIMITS.items():
            said: dict[str, Any] = {
                "label": limit.title,
                "required": False,
                "min_value": 0,
                "help_text": f"Measured in {limit.unit}. Usually {limit.usually}. {limit.why}".strip(),
            }
            self.fields[key] = (
                forms.IntegerField(max_value=int(limit.most), **said)
                if limit.is_whole
                else forms.FloatField(max_value=limit.most, **said)
            )
        if settings.MODERATION_URL:
            none = [("", "The word list alone")]
            self.fields["scorer"] = forms.ChoiceField(
                label="Another scorer of answers",
                required=False,
                choices=[*none, *((name, name) for name in settings.MODERATION_MODELS)],
                help_text="The moderation server judges answers to harmful asks and provocations, too. Those texts leave "
                "the studio for it.",
            )


@member_page("guardrails.edit", FORM)
def limits(request: MemberRequest) -> HttpResponse:
    """The page; its form replaces all limits."""
    workspace_id = request.actor.workspace_id
    kept = selectors.safety_limits_of(workspace_id)
    first = {key: limit_of(key, kept.limits) for key in LIMITS}
    whole = {key: int(value) if LIMITS[key].is_whole else value for key, value in first.items()}
    form = LimitsForm(request.POST or None, initial={**whole, "scorer": kept.scorer})
    if request.method == "POST" and form.is_valid():
        given = {key: form.cleaned_data[key] for key in LIMITS if form.cleaned_data[key] is not None}
        scorer = form.cleaned_data.get("scorer", "")
        try:
            services.set_safety_limits(request.actor, workspace_id=workspace_id, limits=given, scorer=scorer)
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved. They hold for the next safety report.")
            return redirect("training:safety-limits")
    return render(request, "training/limits.html", {"form": form}, status=400 if form.errors else 200)
