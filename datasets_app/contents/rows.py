"""Rows of a version for people: found by what they want, opened with what belongs to them, compared with their record.

Test rows are left out unless the caller says that they were opened; who may open them is the services' concern.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from datasets_app.contents.refusals import sentences
from datasets_app.curation.browsing.index import SPLITS, facets_of
from datasets_app.curation.browsing.query import SORTS, Wanted, page
from datasets_app.curation.browsing.rows import Place, rows_at
from datasets_app.models import DatasetVersion, VersionState
from gptstudio.core.errors import Conflict, NotFound

__all__ = ["SORTS", "SPLITS", "Found", "Wanted", "check_ready", "etag", "facets", "find", "row_of", "rows_of"]
SIBLINGS = 20
SAID = ("messages", "part")  # what the index lacks


@dataclass(frozen=True, slots=True)
class Found:
    """A page of rows with their messages; `after` is the next page's cursor, `total` None on later pages."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    after: str = ""
    total: int | None = 0


def etag(messages: Sequence[dict[str, Any]]) -> str:
    """A mark of what a conversation says: edits are refused when it is another one by then."""
    body = json.dumps([[each["role"], each["content"]] for each in messages], ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "backslashreplace")).hexdigest()[:20]


def check_ready(version: DatasetVersion) -> None:
    """Raise Conflict while a version is not made, NotFound where its rows were erased."""
    if version.state == VersionState.ERASED:
        raise NotFound(f"The rows of {version} were erased.", code="version_erased")
    if version.state != VersionState.READY:
        raise Conflict(f"{version} is not made yet.", fix="Its rows can be seen once it is ready.")
    if not version.folder.is_dir():
        raise NotFound(f"The rows of {version} were erased.", code="version_erased")


def find(
    version: DatasetVersion,
    wanted: Wanted,
    *,
    test_rows: bool = False,
    sort: str = "place",
    after: str = "",
    limit: int = 20,
) -> Found:
    """One page of rows, without those of the test split unless they were opened."""
    check_ready(version)
    splits = [split for split in wanted.splits if split in SPLITS and (test_rows or split != "test")]
    if not splits:
        return Found()
    with sentences():
        hits = page(version.folder, replace(wanted, splits=splits), sort=sort, after=after, limit=limit)
        whole = rows_at(version.folder, [(each["split"], each["place"]) for each in hits.rows], columns=SAID)
    rows = [{**each, **_said(whole[each["split"], each["place"]])} for each in hits.rows]
    return Found(rows, hits.after, hits.total)


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """The columns SAID. Versions that were made before rows had parts have none."""
    return {"messages": row["messages"], "part": row.get("part") or 0}


def facets(version: DatasetVersion) -> dict[str, Any]:
    """What the rows can be narrowed by, with counts by split."""
    check_ready(version)
    with sentences():
        return facets_of(version.folder)


def rows_of(version: DatasetVersion, places: Sequence[Place]) -> dict[Place, dict[str, Any]]:
    """Whole rows by place; NotFound when one of the places is none."""
    check_ready(version)
    if any(split not in SPLITS for split, _ in places):
        raise NotFound("There is no such split: it is train, validation or test.")
    found = rows_at(version.folder, places)
    missing = [place for place in places if place not in found]
    if missing:
        raise NotFound(f"There is no row {missing[0][1] + 1:,} in {missing[0][0]} of {version}.")
    return found


def row_of(version: DatasetVersion, *, split: str, place: int, test_rows: bool = False) -> dict[str, Any]:
    """One row with all that is known of it: index columns, messages, its near-copies and the rest of its group.

    `copies` and `companions` are rows of the index, at most SIBLINGS each, test rows left out unless opened.
    """
    whole = rows_of(version, [(split, place)])[split, place]
    allowed = [each for each in SPLITS if test_rows or each != "test"]

    def among(wanted: Wanted) -> list[dict[str, Any]]:
        found = find(version, wanted, test_rows=test_rows, limit=SIBLINGS + 1).rows
        return [each for each in found if (each["split"], each["place"]) != (split, place)]

    with sentences():
        (own,) = page(version.folder, Wanted(splits=[split], places=[(split, place)]), limit=1).rows
    copies = among(Wanted(splits=allowed, cluster=own["cluster"])) if own["cluster_size"] > 1 else []
    companions = among(Wanted(splits=allowed, group=own["group"])) if own["group"] else []
    known = {(each["split"], each["place"]) for each in copies}
    companions = [each for each in companions if (each["split"], each["place"]) not in known]
    return {**whole, **own, **_said(whole), "copies": copies, "companions": companions, "etag": etag(whole["messages"])}
