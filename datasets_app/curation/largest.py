"""The largest clusters of near-copies, for people to look into. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets_app.curation.pii.finder import finder
from datasets_app.curation.pii.masking import veil
from datasets_app.curation.table import origins, texts

CLUSTERS, ROWS, CHARACTERS = 5, 3, 300


def largest(path: Path, members: Mapping[int, Sequence[int]], *, count: int) -> list[dict[str, Any]]:
    """`{cluster, rows, examples}` of the CLUSTERS largest, each with its first ROWS rows: file, row and text, of which
    what is personal is veiled. `count`: rows in the file at `path`."""
    chosen = sorted(members, key=lambda cluster: (-len(members[cluster]), cluster))[:CLUSTERS]
    wanted = [row for cluster in chosen for row in members[cluster][:ROWS]]
    mask = np.zeros(count, dtype=bool)
    mask[wanted] = True
    said = {place: text[:CHARACTERS] for place, text in texts(path, mask)} if wanted else {}
    spans = finder().find(list(said.values()))
    shown = {place: veil(text, found) for (place, text), found in zip(said.items(), spans, strict=True)}
    places = origins(path, set(wanted))
    return [
        {
            "cluster": cluster,
            "rows": len(members[cluster]),
            "examples": [
                {"file": places[row][0], "row": places[row][1], "text": shown[row]} for row in members[cluster][:ROWS]
            ],
        }
        for cluster in chosen
    ]
