"""How flagged completions and feedback are shown to who decides about them."""

from __future__ import annotations

from django.urls import reverse

from gptstudio.review.evidence import Line, Suggestion
from gptstudio.review.models import ReviewItem
from gptstudio.review.wording import Wording, register
from serving_app.selectors.feedback import KIND as FEEDBACK
from serving_app.selectors.said import BREACH
from serving_app.services.stops import KIND as STOP


def _request(item: ReviewItem) -> list[tuple[str, str]]:
    found = item.evidence.get("feedback") or {}
    request_id = item.subject_id if item.kind == BREACH else str(found.get("request") or "")
    return [("The request, and why it was answered so", reverse("why", args=[request_id]))] if request_id else []


def _of_breach(item: ReviewItem) -> Suggestion | None:
    found = item.evidence.get("guardrail")
    if not found:
        return None
    times = "once" if found["count"] == 1 else f"{found['count']:,} times"
    return Suggestion("approved", f"It broke {found['rule']}.", times, f"guardrail on {found['side']}")


def _deployment(item: ReviewItem) -> list[tuple[str, str]]:
    return [("Open the deployment", reverse("serving:deployment", args=[item.evidence["stop"]["deployment"]]))]


def _stopped(item: ReviewItem) -> dict[str, list[Line]]:
    found = item.evidence["stop"]
    named = (("Deployment", found["name"]), ("Stopped by", found["by"]), ("Because", found["reason"]))
    return {"What was stopped": [Line(what, "", said) for what, said in named]}


def register_kinds() -> None:
    """Say what deciding about each of them means."""
    register(
        BREACH,
        Wording(
            name="Flagged completion",
            note="The rule held at once, and nothing depends on the decision: say whether it was right.",
            waits="A rule held. Say whether it was right.",
            approve="Rightly stopped",
            reject="False alarm",
            withdraw="It was a false alarm",
            reason_to_approve=False,
            in_bulk=True,
            links=_request,
            suggest=_of_breach,
        ),
    )
    register(
        FEEDBACK,
        Wording(
            name="Feedback",
            note="A correction that is accepted can be made into a row to learn from; nothing is learnt by itself.",
            waits="Accept it, or say why not.",
            approve="Accept",
            reject="Do not accept",
            reason_to_approve=False,
            in_bulk=True,
            links=_request,
        ),
    )
    register(
        STOP,
        Wording(
            name="Stopped deployment",
            note="It stays stopped, whatever is decided here, until somebody lets it answer again on its page.",
            waits="Look into it, and say whether it was right.",
            approve="Rightly stopped",
            reject="Stopped for nothing",
            withdraw="It was stopped for nothing",
            links=_deployment,
            more=_stopped,
        ),
    )
