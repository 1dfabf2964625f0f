"""A version's rows as a download: which splits, which form, under which name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datasets_app.contents.rows import check_ready
from datasets_app.curation.browsing.export import FORMS, export
from datasets_app.curation.browsing.index import SPLITS
from datasets_app.models import DatasetVersion
from gptstudio.core.errors import Invalid

__all__ = ["FORMS", "Download", "chosen_splits", "download"]


@dataclass(frozen=True, slots=True)
class Download:
    """What a browser or program is sent."""

    name: str
    content_type: str
    pieces: Iterator[bytes]


def chosen_splits(split: str) -> list[str]:
    """`train`, `validation`, `test`, or `all` of them. Raises Invalid for anything else."""
    if split == "all":
        return list(SPLITS)
    if split not in SPLITS:
        raise Invalid(
            f"There is no split {split[:40]!r}.", fix=f"Use one of {', '.join(SPLITS)} or all.", param="split"
        )
    return [split]


def download(version: DatasetVersion, *, splits: Sequence[str], form: str) -> Download:
    """The rows, piece by piece. Raises Invalid for a form that is none."""
    check_ready(version)
    if form not in FORMS:
        raise Invalid(f"There is no format {form[:40]!r}.", fix=f"Use one of {', '.join(FORMS)}.", param="format")
    plain = re.sub(r"[^\w.-]+", "-", version.dataset.name).strip("-.") or "data"
    part = "-".join(splits) if len(splits) < len(SPLITS) else "all"
    is_several = (
        form == "jsonl" and len(splits) > 1
    )  # a file for each split, for its lines do not say which they are of
    name = f"{plain}-v{version.number}-{part}.{'zip' if is_several else form}"
    kind = "application/zip" if is_several else FORMS[form]
    return Download(name, kind, export(version.folder, splits=splits, form=form))
