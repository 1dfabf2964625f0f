"""Blind comparisons: two answers to a test row in random order, chosen by keyboard; who won is told at the end."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.exam import is_open, keep_open
from gptstudio.web.forms import StudioForm
from gptstudio.web.lists import Choice, listed
from gptstudio.web.once import made_once
from training_app import selectors, services
from training_app.models import BlindComparison, Evaluation
from training_app.selectors.answers import answers_of
from training_app.verdict_wording import signed

NEWEST = 100
FOUND_IN = ("first__model__name", "first__model__title", "second__model__name", "second__model__title")
STATES = Choice(
    "state", "State", {"open": ("Being judged", Q(ended_at=None)), "ended": ("Ended", Q(ended_at__isnull=False))}
)
LABELS = {"model": "Fine-tune", "against": "Against"}
ROWS = (10, 30, 50, 100, 200)


class ComparisonForm(StudioForm):
    """Which two, and on how many rows."""

    rows = forms.TypedChoiceField(
        label="Rows",
        coerce=int,
        choices=[(count, f"{count}") for count in ROWS],
        initial=30,
        help_text="Each person judges all of them, a few seconds a row. Drawn at random where the answers differ.",
    )

    def __init__(self, *args: Any, evaluations: list[Evaluation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.evaluations = {each.id: each for each in evaluations}
        named = [(each.id, f"{each.model} ({each.rows:,} test rows)") for each in evaluations]
        for field, choices in (("model", named), ("against", [("", "Its base model"), *named])):
            self.fields[field] = forms.ChoiceField(label=LABELS[field], choices=choices, required=field == "model")


@member_page("training.view")
def comparisons(request: MemberRequest) -> HttpResponse:
    """All of them, newest first."""
    rows = selectors.comparisons_of(request.actor.workspace_id)
    listing = listed(request, rows, sorts={"made": "created_at"}, usual="-made", find=FOUND_IN, choices=[STATES])
    done = selectors.judged_by(request.actor.user_id or "", [each.id for each in listing.span.rows])
    shown = [(each, done.get(each.id, 0)) for each in listing.span.rows]
    return render(request, "training/blind_list.html", {"listing": listing, "shown": shown})


@member_page("training.edit", FORM)
@made_once()
def new(request: MemberRequest) -> HttpResponse:
    """Choose two models."""
    workspace_id = request.actor.workspace_id
    evaluations = list(selectors.newest_evaluations(workspace_id, most=NEWEST))
    wanted = next((each.id for each in evaluations if each.model_id == request.GET.get("model")), None)
    form = ComparisonForm(request.POST or None, evaluations=evaluations, initial={"model": wanted})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            made = services.start_comparison(
                request.actor,
                workspace_id=workspace_id,
                evaluation=form.evaluations[chosen["model"]],
                against=form.evaluations.get(chosen["against"]),
                rows=chosen["rows"],
            )
        except StudioError as error:
            form.refuse(error)
        else:
            return redirect("training:blind", made.id)
    context = {"form": form, "has_models": bool(evaluations)}
    return render(request, "training/blind_new.html", context, status=400 if form.errors else 200)


@member_page("training.view")
def comparison(request: MemberRequest, comparison_id: str) -> HttpResponse:
    """The next row to judge, or the results once it has ended."""
    found = selectors.comparison_of(request.actor.workspace_id, comparison_id)
    results = services.results_of(found)
    if results is not None:
        return render(request, "training/blind_results.html", {"comparison": found, **_told(found, results)})
    user_id = request.actor.user_id or ""
    judged = selectors.judgements_by(found, user_id)
    turns = found.turns_of(user_id)
    again = request.GET.get("row", "")
    waiting = [turn for turn in turns if turn.number not in judged]
    turn = next((each for each in turns if str(each.number) == again), waiting[0] if waiting else None)
    page: dict[str, Any] = {"comparison": found, "done": len(judged), "total": len(turns), "turn": turn}
    page["is_open"] = all(is_open(request, each.version_id) for each in (found.first, found.second))
    if page["is_open"] and turn is not None:
        page |= _shown(found, turn)
        before = [each.number for each in turns[: turns.index(turn)] if each.number in judged]
        page["before"] = before[-1] if before else None
    return render(request, "training/blind_judge.html", page)


def _shown(found: BlindComparison, turn: Any) -> dict[str, Any]:
    """The conversation and the two answers in this judge's order; None where the rows were erased."""
    first_place, second_place = found.rows[turn.number]
    mine = answers_of(found.first, [first_place])
    theirs = answers_of(found.second, [second_place])
    if not mine or not theirs:
        return {"asked": None}
    sides = ((mine[0], found.first_side), (theirs[0], found.second_side))
    answers = [{"text": row[side], "is_cut": row.get(f"{side}_cut")} for row, side in sides]
    left, right = reversed(answers) if turn.is_swapped else answers
    return {"asked": mine[0]["before"], "left": left, "right": right}


def _told(found: BlindComparison, results: dict[str, Any]) -> dict[str, Any]:
    """Who was preferred, by how much and how sure that is, seen from the model that was chosen more often."""
    preference = results["preference"]
    is_second = preference["difference"] >= 0
    name = found.second_name if is_second else found.first_name
    ends = sorted(100 * (preference[end] if is_second else -preference[end]) for end in ("low", "high"))
    by, (low, high) = f"{100 * abs(preference['difference']):.3g}", (signed(end) for end in ends)
    detail = f"Averaged over rows, {name} was chosen more often by {by} points of 100, with 95 % confidence between {low} and {high}."
    if preference["difference"] == 0:
        detail = "Both were chosen equally often."
    elif preference["too_few"]:
        kinds = "groups of rows that belong together" if results["groups"] < results["rows"] else "rows"
        detail += f" Fewer than six {kinds} tell them apart, and so few prove nothing."
    return {"results": results, "said": preference["said"], "detail": detail}


@member_page("training.view", ACT)
def open_test(request: MemberRequest, comparison_id: str) -> HttpResponse:
    """Open the test rows to judge them; the log says who looked."""
    found = selectors.comparison_of(request.actor.workspace_id, comparison_id)
    services.open_comparison(request.actor, comparison=found)
    for version_id in {found.first.version_id, found.second.version_id}:
        keep_open(request, version_id)
    return redirect("training:blind", found.id)


@member_page("training.view", ACT)
def judge(request: MemberRequest, comparison_id: str) -> HttpResponse:
    """Keep one choice and show the next row."""
    found = selectors.comparison_of(request.actor.workspace_id, comparison_id)
    number = request.POST.get("row", "")
    try:
        services.judge(
            request.actor,
            comparison=found,
            number=int(number) if number.isdecimal() and len(number) < 9 else -1,
            shown=request.POST.get("choice", ""),
        )
    except StudioError as error:
        messages.error(request, str(error))
    return redirect("training:blind", found.id)


@member_page("training.edit", ACT)
def end(request: MemberRequest, comparison_id: str) -> HttpResponse:
    """No more judgements; tell the results."""
    found = selectors.comparison_of(request.actor.workspace_id, comparison_id)
    try:
        services.end_comparison(request.actor, comparison=found)
    except StudioError as error:
        messages.error(request, str(error))
    return redirect("training:blind", found.id)
