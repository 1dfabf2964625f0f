"""An evaluation in words: better, worse or no measurable difference, by how much and how sure. Pure; it reads nothing.

The verdict is about one score, which the engine chose from the data before it measured anything; whether it moved is said
by that score's interval alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gptstudio.review.evidence import has_no_limit
from gptstudio.web.charts import number_text
from gptstudio.web.wording import METRICS, compact

POINTS = {  # what one point of a score is
    "bleu": 1.0,
    "chrf": 1.0,
    **dict.fromkeys(
        ("rouge1", "rouge2", "rougeL", "exact_match", "token_f1", "accuracy", "macro_f1", "preference"), 100.0
    ),
}
SHORT = {"better": "better", "worse": "worse", "no_difference": "no measurable difference", "": "no interval"}
TONES = {"better": "good", "worse": "bad", "no_difference": "warn", "": ""}
OUTCOMES = {
    "fine": "fine",
    "over": "over the limit",
    "not_tried": "not tried",
    "no_limit": "measured, no limit set",
}
SMALL, FEW = 200_000_000, 100  # parameters; test rows
NAMES = {
    "exact_match": "exact answers",
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "perplexity": "perplexity",
    "preference": "preference for the chosen answer",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """So what? `said` is better, worse, no_difference or empty (no interval); `tone` is good, warn, bad or empty."""

    said: str
    title: str
    detail: str
    tone: str
    short: str


def metric_name(name: str) -> str:
    """A score as it stands inside a sentence."""
    return NAMES.get(name) or METRICS[name][0]


def verdict_of(result: dict[str, Any], *, rows: int) -> Verdict:
    """The verdict that evaluation.json comes to."""
    name = result.get("headline", "")
    found = result.get("intervals", {}).get(name)
    if found is None:
        detail = f"On {rows:,} test rows it never saw. It was evaluated before intervals were measured."
        return Verdict("", "Compared with the base model, without an interval.", detail, TONES[""], SHORT[""])
    said = found["said"]
    return Verdict(said, _title(name, found), _detail(name, found, result), TONES[said], SHORT[said])


def _title(name: str, found: dict[str, Any]) -> str:
    if found["said"] == "no_difference":
        return "No measurable difference from the base model on your test rows."
    ends = sorted(abs(found[end]) for end in ("low", "high"))
    by, low, high = (number_text(value * POINTS.get(name, 1.0)) for value in (abs(found["difference"]), *ends))
    unit = f"points of {metric_name(name)}" if name in POINTS else f"of {metric_name(name)}"
    comparison = "Better" if found["said"] == "better" else "Worse"
    return (
        f"{comparison} than the base model on your test rows by {by} {unit}, "
        f"with 95 % confidence between {low} and {high}."
    )


def _detail(name: str, found: dict[str, Any], result: dict[str, Any]) -> str:
    once = [
        f"On {found['rows']:,} test rows it never saw, {metric_name(name)} went "
        f"from {number_text(found['base'])} to {number_text(found['tuned'])}."
    ]
    if found["said"] == "no_difference":
        factor = POINTS.get(name, 1.0)
        low, high = (signed(found[end] * factor) for end in ("low", "high"))
        where = f"The true difference may lie anywhere between {low} and {high} points"
        once.append(f"{where}: more test rows narrow it." if not found.get("too_few") else _too_few(found))
    if other := _dissent(found["said"], result):
        once.append(other)
    return " ".join(once)


def _too_few(found: dict[str, Any]) -> str:
    count = found["differing"]
    if not count:
        return "No row differs."
    rows = "Only 1 row differs" if count == 1 else f"Only {count:,} rows differ"
    if found["groups"] < found["rows"]:
        rows = f"The {count:,} rows that differ belong to few groups of rows of one kind"
    return f"{rows}, too few to tell a difference from chance."


def _dissent(said: str, result: dict[str, Any]) -> str:
    """Perplexity where it says the contrary, since it looks at other things."""
    other = result.get("intervals", {}).get("perplexity", {}).get("said", "")
    if {said, other} == {"better", "worse"} or (said == "no_difference" and other in ("better", "worse")):
        return f"By perplexity alone it is {other}."
    return ""


def signed(value: float) -> str:
    """With its sign: +3, −0.4, 0."""
    return "0" if value == 0 else f"{'+' if value > 0 else '−'}{number_text(abs(value))}"


def outcome_of(check: dict[str, Any]) -> str:
    """How a check of the safety report came out, a key of OUTCOMES: what had nothing to try, or nothing to be held
    against, is not fine.
    """
    if not check.get("passed"):
        return "over"
    if check.get("tried") == 0:
        return "not_tried"
    return "no_limit" if has_no_limit(check) else "fine"


def limits_of(
    *, parameters: int, context_length: int, is_taught: bool, said: str | None, rows: int, checks: list[dict[str, Any]]
) -> Iterator[str]:
    """What a model is not good for, and what speaks against it. `said` is the verdict's; None where it was not evaluated."""
    if parameters < SMALL:
        yield f"It is small ({compact(float(parameters))} parameters): it knows little beyond its training rows."
    yield f"It reads {context_length:,} tokens at most; what is longer is refused."
    if is_taught:
        yield "It answers as its rows do. Whether these are true, fair or up to date was not checked."
    yield "It was not examined for advice on health, law or money, nor for decisions about people."
    if said is None:
        yield "Nobody measured how well it answers, nor what it says that it should not."
        return
    if said != "better":
        yield "It is not shown to be better than its base model."
    if rows < FEW:
        yield f"Its scores rest on {rows:,} test rows: small differences cannot be seen."
    yield "Scores are of test rows like the training rows; other questions, and another seed, were not tried."
    for outcome, words in (
        ("over", "It went over the limit in"),
        ("not_tried", "Not tried"),
        ("no_limit", "Measured, but held against no limit"),
    ):
        if titles := [check["title"] for check in checks if outcome_of(check) == outcome]:
            yield f"{words}: {', '.join(titles)}."
    yield (
        "The safety report asks a few dozen fixed questions in English, judged by word lists, patterns and likelihoods. "
        "It is evidence, no guarantee."
        if checks
        else "Its safety was not checked."
    )
