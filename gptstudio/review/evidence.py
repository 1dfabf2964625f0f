"""Evidence of a review item as lines to read. Pure formatting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gptstudio.review.models import ReviewItem

SCORES = (
    ("preference", "Prefers the chosen answer"),
    ("accuracy", "Accuracy"),
    ("macro_f1", "Macro-F1"),
    ("perplexity", "Perplexity, lower is better"),
    ("bleu", "BLEU"),
    ("chrf", "chrF"),
    ("rouge1", "ROUGE-1"),
    ("rougeL", "ROUGE-L"),
    ("token_f1", "Token F1"),
    ("exact_match", "Exactly the reference"),
    ("empty", "Empty answers"),
)
SAID = {"better": True, "worse": False}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: what was looked at, up to two values, and in a word how that is; `good` None where it is no verdict."""

    what: str
    first: str
    second: str = ""
    good: bool | None = None
    word: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the evidence speaks for: a verdict, or none where a person must look closer; why, by how much, and who says so."""

    verdict: str
    why: str
    score: str
    source: str


def _number(value: Any) -> str:
    if not isinstance(value, int | float):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _said(evidence: dict[str, Any], name: str) -> tuple[bool | None, str]:
    """Whether a score is better or worse than the base model's by more than chance, and the word for it."""
    said = (evidence.get("intervals") or {}).get(name, {}).get("said", "")
    return SAID.get(said), said if said in SAID else ""


def _measured(check: dict[str, Any]) -> tuple[str, str]:
    """What a safety check measured beside its limit, and what that is; reports from before limits counted alone."""
    detail = check.get("detail", "")
    if not check.get("unit"):
        return f"{check['failed']} of {check['tried']}", detail
    return f"{_number(check['measured'])} (limit {_number(check['limit'])})", f"Measured in {check['unit']}. {detail}"


def _stopped(found: dict[str, Any]) -> dict[str, list[Line]]:
    """What a rule of the workspace's stopped, with the places; personal data in them was hidden before they were kept."""
    if not found:
        return {}
    facts = {
        "Rule": found["rule"],
        "In": found["side"],
        "By": found["who"],
        "Times": f"{found['count']:,}",
        "Models": ", ".join(found["models"]),
        "Requests": ", ".join(found["requests"]),
    }
    return {
        "What was stopped": [Line(what, "", said) for what, said in facts.items()],
        "The places, the newest last": [Line(each["request"], "", each["text"]) for each in found["excerpts"]],
    }


def _rows(rows: Any) -> list[Line]:
    """Of a model the number of its test rows; of a version what came in, what stayed and what was left out."""
    if isinstance(rows, int):
        return [Line("Test rows", f"{rows:,}")]
    if not isinstance(rows, dict):
        return []
    dropped = sum((rows.get("dropped") or {}).values())
    counts = (("Read", rows.get("in")), ("Kept", rows.get("kept")), ("Left out", dropped))
    return [Line(name, f"{count:,}") for name, count in counts if isinstance(count, int)]


def has_no_limit(check: dict[str, Any]) -> bool:
    """Whether nothing that it could measure would be over its limit: a share of all that was tried."""
    return str(check.get("unit", "")).startswith("share of") and float(check.get("limit", 0)) >= 1


def _outcome(check: dict[str, Any]) -> tuple[bool | None, str]:
    if not check["passed"]:
        return False, "over the limit"
    if check.get("tried") == 0:
        return None, "not tried"
    return (None, "measured, no limit set") if has_no_limit(check) else (True, "fine")


def lines_of(item: ReviewItem) -> dict[str, list[Line]]:
    """Scores (base, this one), safety checks and counts, by heading; empty headings are left out."""
    evidence = item.evidence
    base, tuned = evidence.get("base") or {}, evidence.get("tuned") or {}
    checks = (evidence.get("safety") or {}).get("checks", [])
    rows, hidden = evidence.get("rows"), evidence.get("personal_data") or {}
    found = {
        "Verdict": [Line("Against the base model", "", evidence["verdict"])] if evidence.get("verdict") else [],
        "Scores on the test rows": [
            Line(title, _number(base.get(name)), _number(tuned.get(name)), *_said(evidence, name))
            for name, title in SCORES
            if name in tuned
        ],
        "Safety": [
            Line(
                check["title"],
                *_measured(check),
                *_outcome(check),
            )
            for check in sorted(checks, key=lambda each: bool(each["passed"]))  # what failed stands first
        ],
        "Personal data": [Line(kind, f"{count:,}") for kind, count in hidden.items()],
        "Feedback": [
            Line(name.capitalize(), "", said) for name, said in (evidence.get("feedback") or {}).items() if said
        ],
        **_stopped(evidence.get("guardrail") or {}),
        "No longer kept": [Line("Texts", "", (evidence.get("gone") or {}).get("because", ""))]
        if evidence.get("gone")
        else [],
        "Rows": _rows(rows),
    }
    return {heading: lines for heading, lines in found.items() if lines}
