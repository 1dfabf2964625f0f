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


def _held(workspace_id: str, kind: str) -> list[str]:
    """The words of a list, which nobody else changes until the transaction ends."""
    WordList.objects.get_or_create(workspace_id=workspace_id, kind=kind)
    words: list[str] = WordList.objects.select_for_update().get(workspace_id=workspace_id, kind=kind).words
    return words


@transaction.atomic
def add_words(actor: Actor, *, workspace_id: str, kind: str, words: Iterable[str]) -> int:
    """Put into a list what is not there yet. Returns how many that were."""
    require(actor, "datasets.edit", workspace_id=workspace_id)
    before = _held(workspace_id, kind)
    return len(set_words(actor, workspace_id=workspace_id, kind=kind, words=[*before, *words]).words) - len(before)


@transaction.atomic
def remove_words(actor: Actor, *, workspace_id: str, kind: str, words: Iterable[str]) -> int:
    """Take words out of a list; those that are not there are passed over. Returns how many were."""
    require(actor, "datasets.edit", workspace_id=workspace_id)
    before, gone = _held(workspace_id, kind), set(_clean(words))
    kept = [word for word in before if word not in gone]
    set_words(actor, workspace_id=workspace_id, kind=kind, words=kept)
    return len(before) - len(kept)
