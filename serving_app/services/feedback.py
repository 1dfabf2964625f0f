"""What people think of answers: taken, shown to a reviewer, and once accepted made into rows to learn from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from datasets_app.models import Dataset, DatasetFile
from datasets_app.services import add_file, create_dataset
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid, NotFound
from gptstudio.review.models import ReviewState
from gptstudio.review.selectors import item_about
from gptstudio.review.services import open_item, update_evidence
from serving_app import selectors
from serving_app.guardrails.personal import Personal, storable
from serving_app.models import Completion, Feedback, KeptTexts, Rating
from serving_app.selectors.feedback import KIND, accepted_corrections
from serving_app.services.guardrails import personal_of

ROLES = ("system", "user", "assistant")
MOST_TURNS, LONGEST = 100, 20_000


@transaction.atomic
def give_feedback(
    actor: Actor,
    *,
    workspace_id: str,
    request_id: str,
    rating: str = "",
    correction: str = "",
    messages: Sequence[Any] | None = None,
) -> Feedback:
    """Thumbs, and what the answer should have been. Given again it replaces what was given, until it is decided.

    `messages`: the turns before the answer; a correction needs them unless the workspace keeps texts.
    """
    require(actor, "models.use", workspace_id=workspace_id)
    request = selectors.request_named(workspace_id, request_id)
    if request is None or request.model is None:
        raise NotFound(f"There is no request {request_id} in this workspace.")
    if rating not in ("", *Rating.values):
        raise Invalid(f"{rating!r} is no rating.", fix="Use up or down.", param="rating")
    if not rating and not correction.strip():
        raise Invalid("The feedback says nothing.", fix="Send a rating or a correction.", param="rating")
    if len(correction) > LONGEST:
        raise Invalid(f"A correction has at most {LONGEST:,} characters.", fix="Shorten it.", param="correction")
    personal = personal_of(workspace_id)
    turns = _question(request, messages, personal, is_needed=bool(correction.strip()))
    earlier = [turn["content"] for turn in turns]
    found = {
        "workspace_id": workspace_id,
        "rating": rating,
        "correction": storable(personal.scrubbed(correction.strip(), earlier)),
        "question": turns,
        "given_by_label": actor.label,
        "erased_at": None,
        "erased_because": "",
    }
    _check_undecided(request, actor)
    given, _ = Feedback.objects.update_or_create(request=request, given_by_id=actor.id, defaults=found)
    if given.rating == Rating.DOWN or given.correction:
        _ask_reviewer(actor, given, request)
    return given


def _check_undecided(request: Completion, actor: Actor) -> None:
    before = Feedback.objects.filter(request=request, given_by_id=actor.id).first()
    item = item_about(before.id, kind=KIND) if before else None
    if item is not None and item.state != ReviewState.PENDING:
        raise Conflict("A reviewer has decided about your feedback already.", fix="Ask them to look again.")


def _question(
    request: Completion, messages: Sequence[Any] | None, personal: Personal, *, is_needed: bool
) -> list[dict[str, str]]:
    """The turns before the answer as they are kept: given, or from what the workspace keeps."""
    if messages is None:
        kept = KeptTexts.objects.filter(request=request).first()
        turns = _turns_in(kept.question.get("messages", []) if kept else [])
    else:
        turns = [turn for turn in messages if _is_turn(turn)]
        if len(turns) != len(messages) or len(turns) > MOST_TURNS:
            fix = "Send the system, user and assistant turns as they were asked."
            raise Invalid("The conversation cannot be read.", fix=fix, param="messages")
    if is_needed and (not turns or turns[-1]["role"] != "user"):
        fix = "Send the messages that were asked, the last of them the user's."
        raise Invalid("Nobody knows what this corrects: the question is not kept.", fix=fix, param="messages")
    found: list[dict[str, str]] = []
    for turn in turns:
        text = personal.scrubbed(turn["content"][:LONGEST], [each["content"] for each in found])
        found.append({"role": turn["role"], "content": storable(text)})
    return found


def _turns_in(messages: Sequence[Any]) -> list[dict[str, str]]:
    """The last turns of what is kept that have words: programs also send parts, calls and results."""
    found = []
    for turn in messages:
        role = {"developer": "system"}.get(turn.get("role"), turn.get("role"))
        content = turn.get("content")
        if isinstance(content, list):
            content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
        if role in ROLES and isinstance(content, str) and content:
            found.append({"role": role, "content": content})
    return found[-MOST_TURNS:]


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, dict) and turn.get("role") in ROLES and isinstance(turn.get("content"), str)


def _ask_reviewer(actor: Actor, given: Feedback, request: Completion) -> None:
    kept = KeptTexts.objects.filter(request=request).first()
    answer = kept.answers[0]["content"] if kept and kept.answers else ""
    evidence = {
        "feedback": {
            "rating": given.get_rating_display(),
            "model": request.model_name,
            "request": request.id,
            "question": given.question[-1]["content"] if given.question else "",
            "answer": answer,
            "correction": given.correction,
        }
    }
    what = "A bad answer" if not given.correction else "A correction" if given.rating else "A row to learn from"
    item = open_item(
        actor,
        workspace_id=given.workspace_id,
        kind=KIND,
        subject_id=given.id,
        title=f"{what}: {request.model_name}",
        evidence=evidence,
        makers=[actor.user_id] if actor.user_id else [],
    )
    update_evidence(item, evidence=evidence)


def export_corrections(actor: Actor, *, workspace_id: str, dataset: Dataset | None = None) -> DatasetFile:
    """A file of chat messages from accepted corrections that none has yet; without a data set, in one of its own."""
    require(actor, "datasets.edit", workspace_id=workspace_id)
    rows = list(accepted_corrections(workspace_id))
    if not rows:
        raise Invalid("No accepted correction waits to be learnt from.", fix="Have a reviewer accept some first.")
    if dataset is None:
        dataset = create_dataset(actor, workspace_id=workspace_id, name="Corrections")
    lines = [
        json.dumps({"messages": [*row.question, {"role": "assistant", "content": row.correction}]}, ensure_ascii=False)
        for row in rows
    ]
    name = f"corrections-{timezone.now():%Y%m%d-%H%M%S}.jsonl"
    file = add_file(actor, dataset=dataset, name=name, chunks=[f"{line}\n".encode() for line in lines])
    _mark(actor, rows, file)
    return file


@transaction.atomic
def _mark(actor: Actor, rows: Sequence[Feedback], file: DatasetFile) -> None:
    Feedback.objects.filter(id__in=[row.id for row in rows]).update(file=file)
    record(
        actor,
        workspace_id=file.dataset.workspace_id,
        action="feedback.exported",
        subject_kind="file",
        subject_id=file.id,
        subject_label=file.name,
        data={"rows": len(rows)},
    )
