"""An evaluation in words: better, mixed or not, and the table of scores. Pure; it reads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gptstudio.web.charts import number_text
from gptstudio.web.wording import METRICS
from training_app.models import Evaluation

LOWER = {"perplexity", "empty"}
TELLING = ("perplexity", "rougeL", "bleu")


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of both models."""

    key: str
    title: str
    direction: str
    base: float | None
    tuned: float | None
    difference: str
    is_better: bool
    is_worse: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """So what? `tone` is good, warn or bad."""

    title: str
    detail: str
    tone: str
    short: str


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _score(key: str, base: float | None, tuned: float | None) -> Score:
    title, direction = METRICS[key]
    gain = 0.0 if base is None or tuned is None else (base - tuned if key in LOWER else tuned - base)
    change = "–" if base is None or tuned is None else _signed(tuned - base)
    return Score(key, title, direction, base, tuned, change, gain > 0, gain < 0)


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{'+' if value > 0 else '−'}{number_text(abs(value))}"


def scores(evaluation: Evaluation) -> list[Score]:
    """All measures that were taken, in a fixed order."""
    base, tuned = evaluation.base_scores, evaluation.tuned_scores
    return [_score(key, _number(base.get(key)), _number(tuned.get(key))) for key in METRICS if key in tuned]


def verdict(evaluation: Evaluation) -> Verdict:
    """Better when all telling measures rose, worse when all fell, else mixed."""
    telling = {score.key: score for score in scores(evaluation) if score.key in TELLING}
    better = sum(score.is_better for score in telling.values())
    detail = _detail(telling, evaluation.rows)
    if telling and better == len(telling):
        return Verdict("It answers better than the base model.", detail, "good", "better than before")
    if better == 0:
        return Verdict("It does not answer better than the base model.", detail, "bad", "not better")
    return Verdict("It is better in some measures and not in others.", detail, "warn", "mixed")


def _detail(telling: dict[str, Score], rows: int) -> str:
    said = f"On {rows:,} test rows it never saw"
    rouge, surprise = telling.get("rougeL"), telling.get("perplexity")
    parts = []
    if rouge is not None and rouge.base is not None and rouge.tuned is not None:
        parts.append(f"ROUGE-L went from {number_text(rouge.base)} to {number_text(rouge.tuned)}")
    if surprise is not None and surprise.base is not None and surprise.tuned is not None:
        parts.append(f"perplexity from {number_text(surprise.base)} to {number_text(surprise.tuned)}")
    return f"{said}, {' and '.join(parts)}." if parts else f"{said}."
