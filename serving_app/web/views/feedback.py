"""Feedback on answers: given in the playground, listed, and made into a file to learn from."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.shortcuts import redirect, render

from datasets_app.selectors import dataset_of, datasets_of
from gptstudio.core.errors import Invalid, StudioError
from gptstudio.review.models import ReviewState
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.lists import by_field, listed
from gptstudio.web.once import made_once
from serving_app import services
from serving_app.models import Rating
from serving_app.selectors.feedback import accepted_corrections, feedback_of

SORTS = {"when": "created_at", "who": "given_by_label", "model": "request__model__name"}
FOUND_IN = ("given_by_label", "request__model__name", "correction")
CHOICES = (by_field("rating", "Rating", Rating.choices), by_field("state", "State", ReviewState.choices))


@member_page("models.use", ACT)
def rate(request: MemberRequest) -> HttpResponse:
    """`POST {request, rating, correction, messages}` of the playground; answers with one sentence as JSON."""
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError, RawPostDataException):
        given = None
    if not isinstance(given, dict):
        return JsonResponse({"error": "The page sent something that cannot be read."}, status=400)
    try:
        made = services.give_feedback(
            request.actor,
            workspace_id=request.actor.workspace_id,
            request_id=str(given.get("request", "")),
            rating=str(given.get("rating") or ""),
            correction=str(given.get("correction") or ""),
            messages=given.get("messages") if isinstance(given.get("messages"), list) else None,
        )
    except StudioError as error:
        return JsonResponse({"error": str(error)}, status=error.status)
    waits = made.rating == "down" or made.correction
    if made.correction and not made.rating:
        said = "It waits for a reviewer. Once accepted, it can be made into a row, on the page Feedback."
        return JsonResponse({"said": said})
    return JsonResponse({"said": "Thank you. A reviewer looks at it." if waits else "Thank you."})


@member_page("datasets.edit")
def feedback(request: MemberRequest) -> HttpResponse:
    """The list, and the button that makes a file."""
    workspace_id = request.actor.workspace_id
    rows = feedback_of(workspace_id)
    context = {
        "listing": listed(request, rows, sorts=SORTS, usual="-when", find=FOUND_IN, choices=CHOICES),
        "ready": accepted_corrections(workspace_id).count(),
        "datasets": datasets_of(workspace_id),
    }
    return render(request, "serving/feedback.html", context)


@member_page("datasets.edit", ACT)
@made_once()
def take(request: MemberRequest) -> HttpResponse:
    """Make a file of the accepted corrections."""
    workspace_id, wanted = request.actor.workspace_id, request.POST.get("dataset", "")
    try:
        dataset = dataset_of(workspace_id, wanted) if wanted else None
        file = services.export_corrections(request.actor, workspace_id=workspace_id, dataset=dataset)
    except Invalid as error:
        messages.error(request, str(error))
        return redirect("serving:feedback")
    messages.success(request, f"{file.name} is in the data set {file.dataset.name}. Make its next version from it.")
    return redirect("datasets:dataset", file.dataset_id)
