"""Rows of one version's exam that other versions have taught: their frozen files against each other. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from datasets_app.models import DatasetVersion

THRESHOLD = 0.7
WHILE_WAITING = 20_000  # rows on both sides that are compared while somebody waits for the page


def exam_rows_in(taught: Sequence[DatasetVersion], version: DatasetVersion) -> int | None:
    """How many test rows of `version` have a near-duplicate in the training rows of the others; None where there are more
    than can be compared at once. Versions whose rows are gone count nothing."""
    rows = sum(each.report.get("splits", {}).get("train", 0) for each in taught)
    if rows + version.report.get("splits", {}).get("test", 0) > WHILE_WAITING:
        return None
    held = version.split_path("test")
    trained = tuple(path for each in taught if (path := each.split_path("train")).is_file())
    return _shared(trained, held) if trained and held.is_file() else 0


@lru_cache(maxsize=128)
def _shared(trained: tuple[Path, ...], held: Path) -> int:
    """Frozen files never change, so that one look is enough."""
    from datasets_app.curation.leaks import leaking  # late: most requests never look into a version
    from datasets_app.curation.membersets import MemberSets
    from datasets_app.curation.table import texts, texts_of

    with MemberSets(texts_of(trained)) as taught, MemberSets(texts(held)) as asked:
        return len(leaking(taught, asked, threshold=THRESHOLD))
