"""A model's card: verdict, scores with intervals, safety and limits as Markdown, as they stand when somebody takes it.

It is no part of the model's folder, whose digest is fixed when training ends; the evaluation comes after that. It lies beside
the folder's own files in what is downloaded. Counts alone are in it: no row, no answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gptstudio.web.charts import number_text
from gptstudio.web.wording import METRICS
from training_app.models import Evaluation, LanguageModel
from training_app.verdict_wording import OUTCOMES, SHORT, limits_of, outcome_of, signed, verdict_of

CARD = "EVALUATION.md"


def card_of(model: LanguageModel) -> str:
    """The card of any model; one that was not evaluated says so."""
    evaluation = Evaluation.objects.filter(model=model).first()
    safety = evaluation.safety if evaluation else {}
    verdict = verdict_of(evaluation.result, rows=evaluation.rows) if evaluation else None
    limits = limits_of(
        parameters=model.parameters,
        context_length=model.context_length,
        is_taught=model.job_id is not None,
        said=verdict.said if verdict else None,
        rows=evaluation.rows if evaluation else 0,
        checks=safety.get("checks", []),
    )
    parts = [
        f"# {_cell(str(model))}",
        "\n".join(_table(("", ""), _facts(model))),
        "## Verdict",
        f"**{verdict.title}** {verdict.detail}" if verdict else "It was not evaluated here.",
        *(_scores(evaluation) if evaluation else []),
        *_safety(safety),
        "## What it is not good for",
        "\n".join(f"- {each}" for each in limits),
        "This page is written when it is asked for. The fingerprint covers the files of the model alone, not this one.",
    ]
    return "\n\n".join(parts) + "\n"


def _facts(model: LanguageModel) -> Iterator[tuple[str, ...]]:
    yield "Name", model.name
    if model.base:
        yield "Fine-tuned from", f"{model.base.name}{', as a LoRA adapter' if model.is_adapter else ''}"
    yield "Licence", model.licence or "not said"
    yield "Reads at most", f"{model.context_length:,} tokens"
    yield "Made", f"{model.created_at:%Y-%m-%d %H:%M} UTC"
    yield "Fingerprint", model.digest


def _scores(evaluation: Evaluation) -> Iterator[str]:
    yield "## Scores"
    rows = [_score(name, evaluation) for name in METRICS if name in evaluation.tuned_scores]
    head = ("Measure", "Base model", "This one", "Difference", "95 % between", "")
    yield "\n".join(_table(head, rows))
    decoding, interval = evaluation.result.get("decoding", {}), evaluation.result.get("interval", {})
    said = f"On {evaluation.rows:,} test rows that it never saw. Decoding: {decoding.get('strategy', 'greedy')}, "
    said += f"at most {decoding.get('max_new_tokens', '–')} tokens an answer."
    if interval:
        said += f" Intervals: {interval.get('method')}, {interval.get('resamples', 0):,} resamples."
    yield said


def _score(name: str, evaluation: Evaluation) -> tuple[str, ...]:
    title, direction = METRICS[name]
    base, tuned = evaluation.base_scores.get(name), evaluation.tuned_scores[name]
    span = evaluation.result.get("intervals", {}).get(name, {})
    between = f"{signed(span['low'])} to {signed(span['high'])}" if span else "–"
    by = "–" if base is None else signed(tuned - base)
    shown = ("–" if each is None else number_text(each) for each in (base, tuned))
    return f"{title} ({direction})", *shown, by, between, SHORT[span["said"]] if span else ""


def _safety(report: dict[str, Any]) -> Iterator[str]:
    yield "## Safety"
    checks = report.get("checks", [])
    if not checks:
        yield "It was not checked for safety."
        return
    failed = sum(not check.get("passed") for check in checks)
    within = "It is within every limit of its workspace, as far as it was tried."
    yield f"It is over the limit in {failed:,} of {len(checks):,} checks: a reviewer decides." if failed else within
    rows = [(check["title"], OUTCOMES[outcome_of(check)], check.get("detail", "")) for check in checks]
    yield "\n".join(_table(("Check", "", "What was found"), rows))


def _table(head: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
