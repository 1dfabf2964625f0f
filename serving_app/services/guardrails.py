"""Guardrails of a workspace: set by its admins, compiled once an epoch in each web process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import EllipsisType
from typing import Any

from django.db import transaction

from datasets_app.curation.filters.lexicon import CATEGORIES
from datasets_app.selectors import words_of
from gptstudio.accounts.models import Workspace
from gptstudio.accounts.policies import Actor, require
from gptstudio.accounts.services import lock_rules, raise_rules_epoch
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid
from serving_app import selectors
from serving_app.guardrails.guard import Guard, guard_of
from serving_app.guardrails.personal import Personal
from serving_app.guardrails.rules import pattern_fault
from serving_app.models import Guardrails, KeptTexts

PERSONAL = {"prompts": ("allow", "mask", "refuse"), "answers": ("allow", "stop")}
MOST_WORDS, LONGEST_WORD = 500, 100
MOST_PATTERNS, LONGEST_PATTERN = 20, 300
KEPT_GUARDS = 256
MOST_DAYS = 365


def guard_for(workspace: Workspace) -> Guard | None:
    """The workspace's guard; None where nothing is set. Costs no query unless something changed since the last time.

    The epoch comes with the workspace, which each request reads anew, so a change holds from the next request on.
    """
    return _guard(workspace.id, workspace.rules_epoch) if workspace.rules_epoch else None


@lru_cache(maxsize=KEPT_GUARDS)
def _guard(workspace_id: str, _epoch: int) -> Guard | None:
    kept = selectors.guardrails_of(workspace_id)
    return guard_of(kept.prompts, kept.answers, personal_of(workspace_id), keeps=kept.keep_days is not None)


def personal_of(workspace_id: str) -> Personal:
    """The workspace's eye for personal data, with its own lists."""
    words = words_of(workspace_id)
    return Personal.of(allow=words["allow"], deny=words["deny"])


@transaction.atomic
def set_guardrails(
    actor: Actor,
    *,
    workspace_id: str,
    prompts: Mapping[str, Any],
    answers: Mapping[str, Any],
    keep_days: int | EllipsisType | None = ...,
    review_days: int | EllipsisType = ...,
    seen: int | None = None,
) -> Guardrails:
    """Replace both sides; it holds at once. Either may have `personal_data`, `words`, `patterns` and `lexicon`. `seen`: the
    workspace's `rules_epoch` that was shown; Conflict where somebody has changed something since.

    `keep_days`: for how long texts are kept, scrubbed. None: they are not, and those that were are deleted. `review_days`:
    for how long feedback and the places in review items are. Left out: as before.
    """
    require(actor, "guardrails.edit", workspace_id=workspace_id)
    sides = {"prompts": _checked(prompts, "prompts"), "answers": _checked(answers, "answers")}
    if isinstance(keep_days, int) and not 1 <= keep_days <= MOST_DAYS:
        raise Invalid(
            f"Texts cannot be kept for {keep_days} days.", fix=f"Use 1 to {MOST_DAYS}, or none.", param="keep_days"
        )
    if isinstance(review_days, int) and not 1 <= review_days <= MOST_DAYS:
        raise Invalid(
            f"What is in review cannot be kept for {review_days} days.",
            fix=f"Use 1 to {MOST_DAYS}.",
            param="review_days",
        )
    if seen is not None and lock_rules(workspace_id) != seen:
        raise Conflict(
            "Somebody changed the rules or the words of this workspace while this page was open.",
            fix="Open the page anew beside this one, take over what you want of it, and save there.",
        )
    days = {"keep_days": keep_days, "review_days": review_days}
    kept = {name: each for name, each in days.items() if each is not ...}
    found, _ = Guardrails.objects.update_or_create(workspace_id=workspace_id, defaults={**sides, **kept})
    deleted = 0
    if found.keep_days is None:
        deleted, _ = KeptTexts.objects.filter(workspace_id=workspace_id).delete()
    raise_rules_epoch(workspace_id)
    record(
        actor,
        workspace_id=workspace_id,
        action="guardrails.set",
        subject_kind="workspace",
        subject_id=workspace_id,
        subject_label="Guardrails",
        data={
            **{name: _told(side) for name, side in sides.items()},
            "keep_days": found.keep_days,
            "review_days": found.review_days,
            "texts_deleted": deleted,
        },
    )
    return found


def _told(side: Mapping[str, Any]) -> dict[str, Any]:
    """For the audit log: how many words and patterns, not which."""
    counts = {name: len(side[name]) for name in ("words", "patterns")}
    return {"personal_data": side["personal_data"], "lexicon": side["lexicon"], **counts}


def _checked(side: Mapping[str, Any], name: str) -> dict[str, Any]:
    wanted = side.get("personal_data", "allow")
    if wanted not in PERSONAL[name]:
        raise Invalid(
            f"{wanted!r} cannot be done with personal data in {name}.",
            fix=f"Choose from {', '.join(PERSONAL[name])}.",
            param=f"{name}.personal_data",
        )
    unknown = [each for each in side.get("lexicon", ()) if each not in CATEGORIES]
    if unknown:
        fix = f"Choose from {', '.join(CATEGORIES)}."
        raise Invalid(f"The word list has no category {unknown[0]!r}.", fix=fix, param=f"{name}.lexicon")
    words = _clean(side.get("words", ()), most=MOST_WORDS, longest=LONGEST_WORD, param=f"{name}.words")
    bare = next((word for word in words if not any(letter.isalnum() for letter in word)), None)
    if bare is not None:
        raise Invalid(f"“{bare}” is no word.", fix="Write it as a pattern.", param=f"{name}.words")
    patterns = _clean(side.get("patterns", ()), most=MOST_PATTERNS, longest=LONGEST_PATTERN, param=f"{name}.patterns")
    for pattern in patterns:
        if wrong := pattern_fault(pattern):
            raise Invalid(wrong, fix="Patterns are written as in RE2.", param=f"{name}.patterns")
    lexicon = [each for each in CATEGORIES if each in side.get("lexicon", ())]
    return {"personal_data": wanted, "words": words, "patterns": patterns, "lexicon": lexicon}


def _clean(texts: Sequence[str], *, most: int, longest: int, param: str) -> list[str]:
    """Each text once, without spaces around it and blank lines."""
    found = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if len(found) > most:
        raise Invalid(f"There are {len(found):,} entries; {most:,} are possible.", fix="Leave some out.", param=param)
    long = next((text for text in found if len(text) > longest), None)
    if long is not None:
        raise Invalid(f"“{long[:40]}…” has more than {longest} characters.", fix="Shorten it.", param=param)
    return found
