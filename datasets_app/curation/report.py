"""The report of a run as JSON: what came in, what was kept, and why the rest was not. Measures nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datasets_app.curation.leaks import Leaks, sentence
from datasets_app.curation.pii.hider import Hider
from datasets_app.curation.reading import shown
from datasets_app.curation.tally import FLAGGED, LANGUAGE, UNANSWERED, UNANSWERED_ROWS

if TYPE_CHECKING:
    from datasets_app.curation.ledger import Ledger
    from datasets_app.curation.reading import Reader
    from datasets_app.curation.recipe import Recipe
    from datasets_app.curation.writing import Writing


def report_of(
    recipe: Recipe,
    reader: Reader,
    writing: Writing,
    ledger: Ledger,
    *,
    leaks: Mapping[str, Leaks],
    canaries: Mapping[str, Any],
    quality: Mapping[str, Any],
    near: Sequence[int],
    largest: Sequence[Mapping[str, Any]],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """See the contract in docs/architecture.md. `in` = kept + Σ dropped, kept = train + validation + test.

    `near` holds the sizes of the clusters of near copies; `seconds` are by step, for steps that are not per row.
    """
    kept = sum(writing.counts.values())
    exact = ledger.reasons["exact_duplicate"]
    return {
        "version": 1,
        "rows": {"in": reader.log.read, "kept": kept, "dropped": dict(sorted(ledger.reasons.items()))},
        "splits": {**writing.counts, "leaks": sum(found.rows for found in leaks.values())},
        "leaks": [
            {
                "split": name,
                "rows": writing.counts[name],
                "leaks": found.rows,
                "asked": found.asked,
                "threshold": found.threshold,
                "sentence": sentence(
                    found.rows, writing.counts[name], of=name, threshold=found.threshold, asked=found.asked
                ),
            }
            for name, found in leaks.items()
        ],
        "personal_data": dict(sorted(reader.tally.counts["personal_data"].items())),
        "findings": reader.findings.count,
        "canaries": dict(canaries),
        "duplicates": {
            "exact": exact,
            "near_clusters": len(near),
            "near_rows": sum(near),
            "largest": list(largest),
        },
        "tokens": writing.tokens(),
        "classes": writing.classes(),
        **({"pairs": dict(writing.pairs)} if any(writing.pairs.values()) else {}),
        "balance": writing.balance(),
        "quality": {"languages": _languages(reader), **quality},
        "steps": _steps(
            recipe,
            reader,
            changed={"tokens": writing.shortened, "near_duplicates": sum(near)},
            dropped=ledger.steps,
            seconds=seconds,
        ),
        "examples": shown(reader.tally.rows, hides_after=False, hider=Hider.of(recipe)),
        "files": reader.log.files,
        "notes": [
            *reader.log.notes,
            *_unanswered_note(reader),
            *_flag_notes(recipe, reader),
            *_language_note(reader),
            *_near_note(sum(near)),
            *_chance_note(reader.findings.chance),
        ],
    }


def _steps(
    recipe: Recipe,
    reader: Reader,
    *,
    changed: Mapping[str, int],
    dropped: Mapping[str, int],
    seconds: Mapping[str, float],
) -> list[dict[str, Any]]:
    """What each step of the recipe did. Seconds of per-row steps are summed over all processes."""
    kinds = [step.kind for step in recipe.steps]
    hider, hidden_at = Hider.of(recipe), kinds.index("personal_data") if "personal_data" in kinds else 0
    return [
        {
            "kind": kind,
            "changed": changed.get(kind, reader.tally.changed[kind]),
            "dropped": dropped.get(kind, 0),
            "seconds": round(reader.tally.seconds[kind] or seconds.get(kind, 0.0), 3),
            "counts": dict(sorted(reader.tally.counts[kind].items())),
            "examples": shown(reader.tally.steps[kind], hides_after=place < hidden_at, hider=hider),
        }
        for place, kind in enumerate(kinds)
    ]


def _languages(reader: Reader) -> dict[str, int]:
    """Rows by language as the filter `language` met them, commonest first; empty where the recipe has no such step."""
    return {
        name.removeprefix(LANGUAGE): count
        for name, count in reader.tally.counts["language"].most_common()
        if name.startswith(LANGUAGE)
    }


def _language_note(reader: Reader) -> list[str]:
    found = _languages(reader)
    if not found:
        return []
    rows = sum(found.values())
    shares = ", ".join(f"{language} {count / rows:.1%}" for language, count in found.items())
    return [f"Languages of the rows before they were filtered: {shares}."]


def _unanswered_note(reader: Reader) -> list[str]:
    counts = reader.tally.counts["map"]
    if not counts[UNANSWERED]:
        return []
    turns, rows = counts[UNANSWERED], counts[UNANSWERED_ROWS]
    return [
        f"{turns:,} last turns that nobody answered were cut off, of {rows:,} rows: they have nothing to learn from."
    ]


def _flag_notes(recipe: Recipe, reader: Reader) -> list[str]:
    notes = []
    for step in recipe.steps:
        flags = {
            name.removeprefix(FLAGGED): count
            for name, count in sorted(reader.tally.counts[step.kind].items())
            if name.startswith(FLAGGED)
        }
        if rows := sum(flags.values()):
            reasons = ", ".join(f"{count:,} × {reason}" for reason, count in flags.items())
            were = "row was" if rows == 1 else "rows were"
            notes.append(f"{rows:,} {were} flagged by {step.kind} ({reasons}) and kept.")
    return notes


def _chance_note(stand_ins: int) -> list[str]:
    return [f"{stand_ins:,} stand-ins happen to be a value that stands in the data too."] if stand_ins else []


def _near_note(rows: int) -> list[str]:
    return [f"{rows:,} rows say nearly the same as another; each such group stays in one split."] if rows else []
