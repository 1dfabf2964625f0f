"""What is kept of each hit beside a version: where, what, what was done, and the words around. Never the value.

Of a value its first character stays, and a keyed digest that groups equal values. The upload alone holds it in clear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from datasets_app.curation.pii.masking import Hit, Place, masked

if TYPE_CHECKING:
    import pyarrow as pa

AROUND = 60


def schema() -> pa.Schema:
    """The columns of findings.parquet; see docs/architecture.md."""
    import pyarrow as pa  # late: pages read names from this module

    texts = ("source", "action", "verdict", "first", "replacement", "before", "after", "key", "value_key")
    return pa.schema(
        [
            ("file", pa.string()),
            ("row", pa.int64()),
            ("row_id", pa.int64()),
            ("turn", pa.int32()),
            ("role", pa.string()),
            ("start", pa.int32()),
            ("end", pa.int32()),
            ("entity_type", pa.string()),
            ("score", pa.float32()),
            *((name, pa.string()) for name in texts),
        ]
    )


def traces(text: str, role: str, hits: Sequence[Hit], place: Place) -> Iterator[dict[str, Any]]:
    """One record a hit of a text. The words around have their own findings behind masks."""
    for number, hit in enumerate(hits):
        span = hit.span
        before = masked(text[: span.start], [other.span for other in hits[:number]])
        later = [other.span for other in hits[number + 1 :]]
        after = masked(
            text[span.end :], [replace(each, start=each.start - span.end, end=each.end - span.end) for each in later]
        )
        yield {
            "file": place.file,
            "row": place.row,
            "row_id": None,
            "turn": place.turn,
            "role": role,
            "start": span.start,
            "end": span.end,
            "entity_type": span.entity_type,
            "score": span.score,
            "source": span.source,
            "action": hit.action,
            "verdict": hit.verdict,
            "first": text[span.start],
            "replacement": hit.replacement if hit.action not in ("keep", "drop_row") else None,
            "before": before[-AROUND:],
            "after": after[:AROUND],
            "key": hit.key,
            "value_key": hit.value_key,
        }
