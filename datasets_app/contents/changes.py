"""From one version to another: which rows changed and how, and how the whole drifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from datasets_app import selectors
from datasets_app.contents.refusals import sentences
from datasets_app.contents.rows import check_ready
from datasets_app.curation.browsing.difference import KINDS, Side, difference
from datasets_app.curation.browsing.drift import Drift, drift_between
from datasets_app.curation.browsing.rows import rows_at
from datasets_app.models import DatasetVersion
from gptstudio.core.errors import Invalid

__all__ = ["KINDS", "Changes", "Drift", "changes", "drift"]


@dataclass(frozen=True, slots=True)
class Changes:
    """`counts` by kind (`same` too); `rows` is one page, each with `old` and `new` messages (None where it is not)."""

    counts: dict[str, int]
    rows: list[dict[str, Any]]
    after: int | None


def _side(version: DatasetVersion) -> Side:
    check_ready(version)
    return Side(version.folder, {name: file.id for name, file in selectors.files_by_name(version).items()})


def changes(
    old: DatasetVersion,
    new: DatasetVersion,
    *,
    kind: str = "",
    test_rows: bool = False,
    offset: int = 0,
    limit: int = 20,
) -> Changes:
    """What changed from `old` to `new`, `kind` alone where it is given. Test rows are counted, and shown where opened."""
    if kind and kind not in KINDS:
        raise Invalid(f"There is no kind of change {kind[:40]!r}.", fix=f"Use one of {', '.join(KINDS)}.", param="kind")
    with sentences():
        found = difference(
            _side(old),
            _side(new),
            kinds=(kind,) if kind else KINDS,
            test_rows=test_rows,
            offset=offset,
            limit=limit + 1,
        )
        shown = found.rows[:limit]
        before = rows_at(old.folder, [(each["old_split"], each["old_place"]) for each in shown if each["old_split"]])
        later = rows_at(new.folder, [(each["new_split"], each["new_place"]) for each in shown if each["new_split"]])
    names = {file.id: name for version in (old, new) for name, file in selectors.files_by_name(version).items()}
    rows = [
        {
            **each,
            "file": names.get(each["file"], each["file"]),
            "old": before.get((each["old_split"], each["old_place"]), {}).get("messages"),
            "new": later.get((each["new_split"], each["new_place"]), {}).get("messages"),
        }
        for each in shown
    ]
    return Changes(found.counts, rows, offset + limit if len(found.rows) > limit else None)


def drift(old: DatasetVersion, new: DatasetVersion) -> Drift:
    """Labels, lengths, turns and words of `new` beside those of `old`."""
    check_ready(old)
    check_ready(new)
    with sentences():
        return drift_between(old.folder, new.folder)
