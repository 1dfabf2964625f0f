"""Guardrails: what prompts and answers of the workspace may say, and whether they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from datasets_app.curation.filters.lexicon import CATEGORIES
from gptstudio.core.errors import StudioError
from gptstudio.web.access import FORM, MemberRequest, member_page
from gptstudio.web.forms import StudioForm
from serving_app import selectors, services
from serving_app.services.guardrails import MOST_DAYS

LISTED = {"profanity": "Swear words", "insults": "Insults", "slurs": "Slurs", "threats": "Threats"}


class Lines(forms.CharField):
    """Texts, one a line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 4}), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        return str(super().clean(value)).splitlines()


class PromptsForm(StudioForm):
    """The rules of questions."""

    prefix = "prompts"
    personal_data = forms.ChoiceField(
        label="Personal data",
        choices=[("allow", "Let it through"), ("mask", "Hide it from the model"), ("refuse", "Refuse the request")],
        help_text="Addresses, numbers of cards and accounts, telephones, names that somebody gives as theirs.",
    )
    lexicon = forms.MultipleChoiceField(
        label="Refuse what is in the word list",
        required=False,
        choices=[(each, LISTED[each]) for each in CATEGORIES],
        widget=forms.CheckboxSelectMultiple,
    )
    words = Lines(label="Refuse these words and phrases", help_text="One a line. Whole words, whatever their case.")
    patterns = Lines(label="Refuse what fits these patterns", help_text="One a line, as RE2 reads them.")


class AnswersForm(PromptsForm):
    """The rules of answers."""

    prefix = "answers"
    personal_data = forms.ChoiceField(
        label="Personal data",
        choices=[("allow", "Let it through"), ("stop", "Stop the answer")],
        help_text="What has the shape of an address or a number, and your words that are always personal.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lexicon"].label = "Stop at what is in the word list"
        self.fields["words"].label = "Stop at these words and phrases"
        self.fields["patterns"].label = "Stop at what fits these patterns"


class KeepingForm(StudioForm):
    """What is kept of what was said."""

    prefix = "keeping"
    keep_days = forms.IntegerField(
        label="Keep questions and answers for so many days",
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text="Empty: nothing is kept, and what was kept is deleted at once.",
    )
    review_days = forms.IntegerField(
        label="Keep feedback and what reviewers see for so many days",
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text="Then their texts go; ratings, rules and decisions stay. Empty: as before.",
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)


def _refuse(sides: Mapping[str, StudioForm], error: StudioError) -> None:
    """Show the sentence beside the field of the side that it is about."""
    side, _, name = (error.param or "prompts.").partition(".")
    sides[side].refuse(error, fields={error.param or "": name})


@member_page("guardrails.edit", FORM)
def guardrails(request: MemberRequest) -> HttpResponse:
    """The page; its form replaces both sides."""
    workspace_id = request.actor.workspace_id
    kept = selectors.guardrails_of(workspace_id)
    sent = request.POST if request.method == "POST" else None
    sides = {"prompts": PromptsForm(sent, initial=kept.prompts), "answers": AnswersForm(sent, initial=kept.answers)}
    epoch = request.membership.workspace.rules_epoch
    days = {"keep_days": kept.keep_days, "review_days": kept.review_days, "seen": epoch}
    keeping = KeepingForm(sent, initial=days)
    is_wrong = any(form.errors for form in (*sides.values(), keeping))
    if sent is not None and not is_wrong:
        try:
            services.set_guardrails(
                request.actor,
                workspace_id=workspace_id,
                prompts=sides["prompts"].cleaned_data,
                answers=sides["answers"].cleaned_data,
                keep_days=keeping.cleaned_data["keep_days"],
                review_days=keeping.cleaned_data["review_days"] or ...,
                seen=keeping.cleaned_data["seen"],
            )
        except StudioError as error:
            _refuse(sides, error)
        else:
            messages.success(request, "Saved. It holds from the next request on.")
            return redirect("serving:guardrails")
    is_wrong = any(form.errors for form in (*sides.values(), keeping))
    context = {**sides, "keeping": keeping}
    return render(request, "serving/guardrails.html", context, status=400 if is_wrong else 200)
