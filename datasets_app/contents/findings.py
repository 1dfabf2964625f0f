"""The hits of a version for people: what was found where, what was done, what somebody said about it since."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datasets_app.contents.origin import as_it_came
from datasets_app.contents.refusals import sentences
from datasets_app.contents.rows import check_ready
from datasets_app.curation.browsing import findings as kept
from datasets_app.curation.browsing.findings import SURE, Narrowed
from datasets_app.curation.pii.keys import Keys
from datasets_app.models import DatasetVersion
from datasets_app.selectors import curation_secret
from gptstudio.core.errors import NotFound

__all__ = ["SURE", "Hit", "Narrowed", "clear_text", "facets", "find", "has_findings", "hit_of", "hits_of", "values"]
VALUE = "value:"
AROUND = 60


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit; `decision` is what somebody said of it or of its value, not yet followed by a version."""

    data: Mapping[str, Any]
    decision: str
    is_by_value: bool

    @property
    def value(self) -> str:
        """The key of a decision about its value, wherever that stands."""
        return VALUE + str(self.data["value_key"])

    @property
    def veiled(self) -> str:
        """The value by its first character and its length."""
        length = int(self.data["end"]) - int(self.data["start"])
        return str(self.data["first"] or "") + "•" * max(0, min(length, 24) - 1)


@dataclass(frozen=True, slots=True)
class Clear:
    """A value in clear with the words around it; `value` is empty where an earlier step had changed it."""

    before: str
    value: str
    after: str


def has_findings(version: DatasetVersion) -> bool:
    """Whether the version has a record of its hits."""
    return kept.has_findings(version.folder)


def _check(version: DatasetVersion) -> None:
    check_ready(version)
    if not has_findings(version):
        raise NotFound(f"There is no record of personal data in {version}: its recipe did not look for any.")


def _hit(row: Mapping[str, Any], decisions: Mapping[str, str]) -> Hit:
    own, by_value = decisions.get(row["key"]), decisions.get(VALUE + row["value_key"])
    return Hit(row, own or by_value or "", not own and bool(by_value))


def find(
    version: DatasetVersion,
    narrowed: Narrowed,
    decisions: Mapping[str, str],
    *,
    limit: int,
    offset: int = 0,
    after: str = "",
) -> tuple[list[Hit], int]:
    """A page of hits, the least sure first, from a place or `after` the hit with this key; and how many in all."""
    _check(version)
    wanted = replace(narrowed, decisions=list(decisions))
    with sentences():
        rows, total = kept.page(version.folder, wanted, limit=limit, offset=offset, after=after)
    return [_hit(row, decisions) for row in rows], total


def hits_of(version: DatasetVersion, keys: Sequence[str], decisions: Mapping[str, str]) -> list[Hit]:
    """The hits with these keys; those that are none are left out."""
    _check(version)
    with sentences():
        return [_hit(row, decisions) for row in kept.by_key(version.folder, keys)]


def hit_of(version: DatasetVersion, key: str) -> Hit:
    """One hit, without what was said of it; NotFound where there is none such."""
    found = hits_of(version, [key], {})
    if not found:
        raise NotFound("There is no such piece of personal data in this version.")
    return found[0]


def clear_text(version: DatasetVersion, hit: Hit) -> Clear:
    """The value of a hit in clear, from the upload. NotFound where the upload is no longer kept, or too large."""
    records = as_it_came(version, {"file": hit.data["file"], "row": hit.data["row"]})
    keys = Keys(curation_secret(version.dataset.workspace_id).encode())
    length = int(hit.data["end"]) - int(hit.data["start"])
    first = str(hit.data["first"] or "")
    for _name, text in (cell for record in records for cell in record.cells):
        for found in re.finditer(re.escape(first), text):
            for end in range(found.start() + max(1, length - 1), found.start() + length + 3):  # spaces may have gone
                value = text[found.start() : end]
                if keys.of_value(hit.data["entity_type"], value) == hit.data["value_key"]:
                    before = text[max(0, found.start() - AROUND) : found.start()]
                    return Clear(before, value, text[end : end + AROUND])
    return Clear("", "", "")


def values(
    version: DatasetVersion, narrowed: Narrowed, decisions: Mapping[str, str], *, limit: int
) -> list[tuple[str, str]]:
    """Keys of decisions about every value that is narrowed to, with their types."""
    _check(version)
    wanted = replace(narrowed, decisions=list(decisions))
    with sentences():
        return [(VALUE + key, kind) for key, kind in kept.values(version.folder, wanted, limit=limit)]


def facets(version: DatasetVersion) -> list[dict[str, Any]]:
    """Hits by type and action."""
    _check(version)
    with sentences():
        return kept.facets(version.folder)
