"""What is done when a rule is broken: the caller is told, and a reviewer finds the place in the queue.

Hits of one rule by one caller are one item for as long as it waits, so that a program in a loop cannot flood the queue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import Invalid, StudioError
from gptstudio.review.selectors import pending_alike
from gptstudio.review.services import open_item, update_evidence
from serving_app.guardrails.guard import Guard
from serving_app.guardrails.prompts import ASKED, MOST_READ, Reading
from serving_app.guardrails.telling import excerpt, for_caller, for_reviewer
from serving_app.guardrails.watch import Breach
from serving_app.models import CompletionState, Guardrails
from serving_app.selectors.said import BREACH as KIND
from serving_app.services.usage import release

MOST_EXCERPTS, MOST_REQUESTS = 5, 20
TITLES = {"prompts": "A question was refused", "answers": "An answer was stopped"}


class Refused(StudioError):
    """A prompt that the workspace's rules do not let through. Clients know this code as a matter of content."""

    code = "content_policy_violation"
    kind = "invalid_request_error"


def check_reading(
    actor: Actor, guard: Guard, reading: Reading, *, model_name: str, attempt_id: str, is_private: bool
) -> None:
    """Raises Refused for a prompt that breaks a rule, and Invalid for one that cannot be looked at. Its attempt is over
    then, and stays in the log as refused.
    """
    if not (reading.unread or reading.is_too_long or reading.breach):
        return
    with transaction.atomic():
        code = "unread_prompt" if reading.breach is None else Refused.code
        release(attempt_id, error_code=code, state=CompletionState.REFUSED)
        if reading.breach is not None:
            report_breach(
                actor, guard, reading.breach, side="prompts", model_name=model_name, attempt_id=attempt_id,
                is_private=is_private,
            )  # fmt: skip
    body = reading.body
    asked = next((name for name in ASKED if name in body), None)
    if reading.unread:
        raise Invalid(
            "This workspace looks at prompts, and cannot read one of token ids.",
            fix="Send it as text.",
            code="unsupported_value",
            param=reading.unread,
        )
    if reading.is_too_long:
        raise Invalid(
            f"This workspace looks at prompts, and reads at most {MOST_READ:,} characters of one.",
            fix="Send less at a time.",
            code="string_above_max_length",
            param=asked,
        )
    if reading.breach is not None:
        raise Refused(
            # LiteLLM knows a refusal by these words alone.
            f"This request was rejected as a result of the safety system of this workspace: it holds "
            f"{for_caller(reading.breach.hit)}.",
            fix="Leave that out, or ask an admin of the workspace.",
            param=asked,
        )


def check_readable(guard: Guard, body: Mapping[str, Any]) -> None:
    """Raises Invalid for log probabilities: they spell out what was held back."""
    wanted = body.get("logprobs")
    if guard.answers and wanted is not None and wanted is not False:
        raise Invalid(
            "'logprobs' is not supported where a workspace looks at answers.",
            fix="Leave it out.",
            code="unsupported_parameter",
            param="logprobs",
        )


@transaction.atomic
def report_breach(
    actor: Actor,
    guard: Guard,
    breach: Breach,
    *,
    side: str,
    model_name: str,
    attempt_id: str,
    is_private: bool = False,
) -> None:
    """Open a review item for a breach, or add to the one that waits. Its texts are scrubbed of personal data; of a private
    request, which says `store: false`, there are none.
    """
    workspace_id, rule = actor.workspace_id, for_reviewer(breach.hit)
    list(Guardrails.objects.select_for_update().filter(workspace_id=workspace_id))  # one at a time
    alike = hashlib.sha256(f"{side}\x1f{rule}\x1f{actor.id}".encode()).hexdigest()[:24]
    shown = (
        []
        if is_private
        else [{"request": attempt_id, "text": excerpt(breach, guard.personal), "at": timezone.now().isoformat()}]
    )
    waiting = pending_alike(workspace_id, kind=KIND, alike=alike)
    known: dict[str, Any] = (
        waiting.evidence["guardrail"] if waiting else {"side": side, "rule": rule, "who": actor.label}
    )
    evidence = {
        **known,
        "count": known.get("count", 0) + 1,
        "models": sorted({*known.get("models", []), model_name}),
        "requests": [*known.get("requests", []), attempt_id][-MOST_REQUESTS:],
        "excerpts": [*known.get("excerpts", []), *shown][-MOST_EXCERPTS:],
    }
    if waiting is not None:
        update_evidence(waiting, evidence={"alike": alike, "guardrail": evidence})
        return
    open_item(
        actor,
        workspace_id=workspace_id,
        kind=KIND,
        subject_id=attempt_id,
        title=f"{TITLES[side]}: {rule}",
        evidence={"alike": alike, "guardrail": evidence},
        makers=[],
    )
