"""What was erased from a data set stays erased in every later version of it, whatever its recipe and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets_app import recipes
from datasets_app.models import Dataset, DatasetFile, Erasure
from gptstudio.accounts.policies import Actor


def remember(actor: Actor, *, dataset: Dataset, entries: Sequence[dict[str, Any]]) -> None:
    """Have later versions leave these out: entries of curation's option `erased`, files by their ids."""
    if entries:
        Erasure.objects.create(dataset=dataset, entries=list(entries), made_by_id=actor.user_id)


def without_erased(dataset: Dataset, body: recipes.Recipe, files: Sequence[DatasetFile]) -> recipes.Recipe:
    """The recipe with all that was erased from these files of the data set."""
    known = {file.id for file in files}
    entries = [
        each
        for erasure in Erasure.objects.filter(dataset=dataset)
        for each in erasure.entries
        if "file" not in each or each["file"].partition("/")[0] in known
    ]
    return recipes.with_edits(body, [], erased=entries) if entries else body
