"""The largest clusters of near-copies, for people to look into. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets_app.curation.pii.hider import Hider
from datasets_app.curation.pii.masking import veil
from datasets_app.curation.splits import TEST
from datasets_app.curation.table import origins, texts

CLUSTERS, ROWS, CHARACTERS = 5, 3, 300


def largest(
    path: Path, members: Mapping[int, Sequence[int]], *, splits: Sequence[int], hider: Hider
) -> list[dict[str, Any]]:
    """`{cluster, rows, examples}` of the CLUSTERS largest, each with its first ROWS rows: file, row and text, of which
    what is personal is veiled. `splits`: of each row in the file at `path`; what test rows say is not shown."""
    chosen = sorted(members, key=lambda cluster: (-len(members[cluster]), cluster))[:CLUSTERS]
    open_rows = {cluster: [row for row in members[cluster] if splits[row] != TEST][:ROWS] for cluster in chosen}
    wanted = [row for rows in open_rows.values() for row in rows]
    mask = np.zeros(len(splits), dtype=bool)
    mask[wanted] = True
    said = {place: text[:CHARACTERS] for place, text in texts(path, mask)} if wanted else {}
    spans = hider.find(list(said.values()))
    shown = {place: veil(text, found) for (place, text), found in zip(said.items(), spans, strict=True)}
    places = origins(path, set(wanted))
    return [
        {
            "cluster": cluster,
            "rows": len(members[cluster]),
            "examples": [
                {"file": places[row][0], "row": places[row][1], "text": shown[row]} for row in open_rows[cluster]
            ],
        }
        for cluster in chosen
    ]
