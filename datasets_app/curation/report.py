"""The report of a run as JSON: what came in, what was kept, and why the rest was not. Measures nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasets_app.curation.ledger import Ledger
    from datasets_app.curation.reading import Tally
    from datasets_app.curation.writing import Writing

TIMED_AS = {
    "normalize": "read",
    "personal_data": "read",
    "exact_duplicates": "read",
    "near_duplicates": "near_duplicates",
    "split": "split",
    "tokens": "tokens",
}


def report_of(
    tally: Tally, writing: Writing, ledger: Ledger, *, leaks: int, near: Sequence[int], seconds: Mapping[str, float]
) -> dict[str, Any]:
    """See the contract in docs/architecture.md. `in` = kept + Σ dropped, kept = train + validation + test.

    `near` holds the sizes of the clusters of near copies; `seconds` are by the names in TIMED_AS.
    """
    kept = sum(writing.counts.values())
    exact = ledger.reasons["exact_duplicate"]
    changed = {**tally.changed, "tokens": writing.shortened, "near_duplicates": sum(near)}
    return {
        "version": 1,
        "rows": {"in": tally.read, "kept": kept, "dropped": dict(sorted(ledger.reasons.items()))},
        "splits": {**writing.counts, "leaks": leaks},
        "personal_data": dict(sorted(tally.hidden.items())),
        "duplicates": {"exact": exact, "near_clusters": len(near), "near_rows": sum(near)},
        "tokens": {"limit": writing.limit, "over": writing.over, "histogram": writing.histogram.as_json()},
        "classes": writing.classes(),
        "steps": [
            {
                "kind": kind,
                "changed": changed.get(kind, 0),
                "dropped": ledger.steps[kind],
                "seconds": round(seconds.get(timed, 0.0), 3),
            }
            for kind, timed in TIMED_AS.items()
        ],
        "examples": tally.examples,
        "files": tally.files,
        "notes": [*tally.notes, *_near_note(sum(near))],
    }


def _near_note(rows: int) -> list[str]:
    return [f"{rows:,} rows say nearly the same as another; each such group stays in one split."] if rows else []
