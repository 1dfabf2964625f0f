"""A workspace's own words: what spelling leaves alone, what is never and what is always personal data."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from datasets_app.models import WordKind, WordList
from gptstudio.accounts.policies import Actor, require
from gptstudio.accounts.services import raise_rules_epoch
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid

MOST_WORDS = 5_000
LONGEST = 200


def _clean(words: Iterable[str]) -> list[str]:
    """Each word once, in the order they were given, blanks left out."""
    found = list(dict.fromkeys(" ".join(word.split()) for word in words))
    kept = [word for word in found if word]
    long = next((word for word in kept if len(word) > LONGEST), None)
    if long is not None:
        raise Invalid(f"“{long[:40]}…” is longer than {LONGEST} characters.", fix="One word or name a line.")
    if len(kept) > MOST_WORDS:
        raise Invalid(f"The list has {len(kept):,} entries; {MOST_WORDS:,} are possible.", fix="Leave some out.")
    return kept


@transaction.atomic
def set_words(actor: Actor, *, workspace_id: str, kind: str, words: Iterable[str]) -> WordList:
    """Replace one list. It holds for versions asked for from now on; each keeps the words that it was made with."""
    require(actor, "datasets.edit", workspace_id=workspace_id)
    if kind not in WordKind.values:
        raise Invalid(f"There is no list {kind!r}.", fix=f"Choose from {', '.join(WordKind.values)}.", param="kind")
    kept = _clean(words)
    found, _ = WordList.objects.update_or_create(workspace_id=workspace_id, kind=kind, defaults={"words": kept})
    if kind != WordKind.DICTIONARY:
        raise_rules_epoch(workspace_id)
    record(
        actor,
        workspace_id=workspace_id,
        action="words.set",
        subject_kind="word_list",
        subject_id=f"{workspace_id}/{kind}",
        subject_label=found.get_kind_display(),
        data={"count": len(kept)},
    )
    return found
