"""What people wrote down beside the data, lists of words and recipes under a name, without a person."""

from __future__ import annotations

from django.db import transaction

from datasets_app.contents.tombstones import without_phrase
from datasets_app.contents.tracing import Written, written_of
from datasets_app.curation.erasure import Phrase
from datasets_app.models import CurationRecipe, WordList, written_down
from gptstudio.accounts.policies import Actor, require
from gptstudio.accounts.services import raise_rules_epoch
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid


def forget_written(actor: Actor, *, workspace_id: str, phrase: Phrase, digest: str, reason: str) -> Written:
    """Take the phrase out of the workspace's lists and recipes. Returns those that said it; `digest` is what the log calls
    it. Invalid without a reason."""
    require(actor, "data.erase", workspace_id=workspace_id)
    if not reason.strip():
        raise Invalid("The erasure has no reason.", fix="Say in a few words who asked for it and when.", param="reason")
    with transaction.atomic():
        found = take_out(workspace_id, phrase)
        record(
            actor,
            workspace_id=workspace_id,
            action="words.erased",
            subject_kind="erasure",
            subject_id=digest,
            data={"lists": len(found.lists), "recipes": len(found.recipes), "reason": reason.strip()[:300]},
        )
    return found


def take_out(workspace_id: str, phrase: Phrase) -> Written:
    """The same within somebody's transaction: entries that say it go, and so do conditions and prompts of recipes."""
    lists, recipes = written_down(workspace_id)
    list(lists.select_for_update()), list(recipes.select_for_update())
    found = written_of(workspace_id, phrase)
    for kept, _count in found.lists:
        words = [word for word in kept.words if not phrase.is_in(word)]
        WordList.objects.filter(id=kept.id).update(words=words)
    if found.lists:
        raise_rules_epoch(workspace_id)
    for recipe in found.recipes:
        CurationRecipe.objects.filter(id=recipe.id).update(body=without_phrase(recipe.body, phrase))
    return found
