"""Tables of an evaluation for its page: scores, classes, lengths, which label was taken for which. Pure; it reads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gptstudio.web.wording import METRICS
from training_app.models import Evaluation
from training_app.verdict_wording import Verdict, metric_name, outcome_of, signed, verdict_of

LOWER = {"perplexity", "empty", "cut"}
MATRIX_LABELS = 12
MIXED_UP = 15


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of both models. `said` is better, worse, no_difference, or empty where there is no interval."""

    key: str
    title: str
    direction: str
    base: float | None
    tuned: float | None
    difference: str
    between: str
    said: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a confusion matrix; `depth` from 0 to 4 is how much of the row's label lies in it."""

    count: int
    depth: int
    is_right: bool


def checks_of(safety: dict[str, Any]) -> list[dict[str, Any]]:
    """The checks of a safety report, each with how it came out."""
    return [{**check, "outcome": outcome_of(check)} for check in safety.get("checks", [])]


def verdict(evaluation: Evaluation) -> Verdict:
    """So what?"""
    return verdict_of(evaluation.result, rows=evaluation.rows)


def scores(evaluation: Evaluation) -> list[Score]:
    """All measures that were taken, the one that the verdict is about first."""
    first = evaluation.result.get("headline", "")
    names = sorted((key for key in METRICS if key in evaluation.tuned_scores), key=lambda key: key != first)
    return [_score(key, evaluation) for key in names]


def _score(key: str, evaluation: Evaluation) -> Score:
    title, direction = METRICS[key]
    base, tuned = (_number(each.get(key)) for each in (evaluation.base_scores, evaluation.tuned_scores))
    found = evaluation.result.get("intervals", {}).get(key, {})
    change = "–" if base is None or tuned is None else signed(tuned - base)
    return Score(key, title, direction, base, tuned, change, between(found), found.get("said", ""))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def between(found: dict[str, Any]) -> str:
    """The ends of an interval."""
    return f"{signed(found['low'])} to {signed(found['high'])}" if found else "–"


def parts(evaluation: Evaluation, kind: str) -> list[tuple[str, dict[str, Any], str]]:
    """Of `classes` or `lengths` each part's name, its numbers and the ends of its interval."""
    found = evaluation.result.get(kind, [])
    return [(_part_name(each), each, between(each)) for each in found]


def _part_name(part: dict[str, Any]) -> str:
    if "label" in part:
        return str(part["label"])
    low, high = part["from"], part["to"]
    return f"{low:,} word{'' if low == 1 else 's'}" if low == high else f"{low:,} to {high:,} words"


def headline_name(evaluation: Evaluation) -> str:
    """What classes and lengths are compared by."""
    name = evaluation.result.get("headline", "")
    return metric_name(name) if name else ""


def matrix(labels: dict[str, Any]) -> list[tuple[str, list[Cell]]]:
    """True labels down, chosen ones across, of the fine-tune; empty where there are too many labels to read."""
    names = labels["names"]
    if len(names) > MATRIX_LABELS or not labels["classes"]:
        return []
    counts = {(true, said): count for true, said, count in labels["confusion"]["tuned"]}
    lines = []
    for true, name in enumerate(names):
        whole = sum(counts.get((true, said), 0) for said in range(len(names)))
        cells = [counts.get((true, said), 0) for said in range(len(names))]
        line = [Cell(count, -(-4 * count // whole) if whole else 0, said == true) for said, count in enumerate(cells)]
        lines.append((name, line))
    return lines


def mixed_up(labels: dict[str, Any]) -> list[tuple[str, str, int]]:
    """The labels that the fine-tune most often took for another: true, chosen, rows."""
    names = labels["names"]
    wrong = [(count, true, said) for true, said, count in labels["confusion"]["tuned"] if true != said]
    return [(names[true], names[said], count) for count, true, said in sorted(wrong, reverse=True)[:MIXED_UP]]
