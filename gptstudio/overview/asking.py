"""Pages that ask why: the rows nearest to an answer, and what a row taught. They decide nothing."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from datasets_app import selectors as data
from datasets_app.web.views.rows import check_open
from gptstudio.core.errors import StudioError
from gptstudio.overview import why as asked_why
from gptstudio.overview.why import HOW_TO_GIVE, NOT_KEPT, Said
from gptstudio.web.access import FORM, MemberRequest, member_page

ALMOST, MUCH = 0.9, 0.5  # of an answer's likeness


def sentence_of(found: asked_why.Why) -> str:
    """What the list comes to, in a sentence."""
    nearest = max((each.near.answered for each in found.rows), default=0.0)
    if found.version is None:
        return ""
    if nearest >= ALMOST:
        return "A training row answers in almost the same words."
    if nearest >= MUCH:
        return "Training rows answer in much the same words."
    if found.rows:
        return "No training row answers like this: the nearest share some of its words."
    return "No training row has a word of this answer or its question."


@member_page("datasets.view", FORM)
def why(request: MemberRequest, request_id: str) -> HttpResponse:
    """An answer and the rows nearest to it. Its text comes with the form, or from what is kept (`?choice=2`: of several)."""
    subject, model = asked_why.answered(request.actor.workspace_id, request_id)
    context: dict[str, object] = {"subject": subject, "model": model}
    status = 200
    try:
        if request.method == "POST":
            said = Said(request.POST.get("question", ""), request.POST.get("answer", ""))
        else:
            choice = request.GET.get("choice", "1")
            number = int(choice) if choice.isascii() and choice.isdecimal() and len(choice) < 4 else 1
            kept = asked_why.said_in(request.actor, request=subject, choice=number)
            if kept is None:
                question = asked_why.question_in_feedback(request.actor, request=subject)
                context |= {"said": Said(question), "note": f"{NOT_KEPT} {HOW_TO_GIVE}"}
                return render(request, "overview/why.html", context)
            said = kept
        context["said"] = said
        found = asked_why.why(request.actor, model=model, said=said)
        context |= {"found": found, "sentence": sentence_of(found)}
    except StudioError as error:
        context["error"], status = error, error.status
    return render(request, "overview/why.html", context, status=status)


@member_page("datasets.view")
def taught(request: MemberRequest, version_id: str, split: str, place: int) -> HttpResponse:
    """What a row taught; a part of the row's page."""
    version = data.version_of(request.actor.workspace_id, version_id)
    check_open(request, version_id, split)
    found = asked_why.taught_by(request.actor.workspace_id, version=version, split=split, place=place)
    context = {"taught": found, "version": version, "split": split, "place": place}
    return render(request, "overview/parts/taught.html", context)
