"""What a version is: its rows in their splits, its recipe, and how many rows were left out for what, under one digest.

Curation takes it while it writes; `digest_of` takes it again from what was written. Both tell a row in the same way.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from datasets_app.curation.recipe import Recipe
from datasets_app.curation.splits import NAMES
from datasets_app.curation.table import batches

COPY_WHEN_SHORT = "copy_when_short"  # rows that were counted in before they were left out
Told = tuple[int, int, bytes]


def told(split: int, row: Mapping[str, Any], *, more: int) -> bytes:
    """A row as the digest hears it; `more` is how often balancing wrote it again."""
    parts = [split, row["file"], row["row"], row["messages"], row["label"], *([more] if more else [])]
    return json.dumps(parts).encode()


def closed(digest: hashlib._Hash, recipe: Recipe, reasons: Mapping[str, int]) -> str:
    """The digest, once all rows are told."""
    digest.update(json.dumps(recipe.as_json() | {"tokenizer": ""}, sort_keys=True).encode())
    digest.update(json.dumps(sorted(reasons.items())).encode())
    return digest.hexdigest()


def digest_of(folder: Path, recipe: Recipe) -> str | None:
    """The digest of the files as they lie there, without curating again; None where only curating again would tell.

    That is so where rows that the token policy had shortened were left out as copies: they were told, and are gone.
    Raises OSError or pyarrow's ArrowException for files that cannot be read.
    """
    reasons = Counter(pq.read_table(folder / "ledger.parquet", columns=["reason"]).column("reason").to_pylist())
    if reasons[COPY_WHEN_SHORT]:
        return None
    digest = hashlib.sha256()
    for _row_id, _split, line in heapq.merge(*(_told_in(folder, split) for split in range(len(NAMES)))):
        digest.update(line)
    return closed(digest, recipe, reasons)


def _told_in(folder: Path, split: int) -> Iterator[Told]:
    """Rows of one split in the order in which they were written, each part once."""
    rows = (row for batch in batches(folder / f"{NAMES[split]}.parquet") for row in batch)
    for (row_id, _part), again in groupby(rows, key=lambda row: (row["row_id"], row.get("part") or 0)):
        first, *repeats = again
        yield row_id, split, told(split, first, more=len(repeats))
