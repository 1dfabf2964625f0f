"""The report of a version in words and pictures: steps, leaks, balance, token policies, variety, people. Reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.web.step_words import choice_word
from gptstudio.web.charts import BarChart, bar_chart

SHOWN_LABELS, SHOWN_GROUPS = 12, 12
FEW_ROWS = 20
LISTED = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
}
SHORT = {
    "edits": "By hand",
    "exact_duplicates": "Exact copies",
    "near_duplicates": "Near-copies",
    "toxicity": "Rough words",
    "split": "Copies of given rows",
    "balance": "Balancing",
    "tokens": "Too long",
}


def pictures(report: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What the report's page shows beside the bare numbers, by name; a part that was not measured is empty."""
    quality = report.get("quality") or {}
    return {
        "leaks": leak_lines(report),
        "by_step": step_chart(report),
        "balance": balance_of(report),
        "policies": policies(report.get("tokens") or {}, recipe),
        "clusters": (report.get("duplicates") or {}).get("largest") or [],
        "warnings": [*empty_splits(report, recipe), *(quality.get("warnings") or [])],
        "variety": variety(quality),
        "groups": group_chart(quality),
        "people": (quality.get("people") or {}).get("rows", 0),
        "people_lists": people_lists(quality["people"].get("languages") or {}) if quality.get("people") else "",
        "quality": quality,
    }


def leak_lines(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each held-out split that has rows, with its number of leaks; reports of old have one number for both."""
    found = [each for each in report.get("leaks") or [] if each["rows"]]
    if found or report.get("leaks") is not None:
        return found
    splits = report.get("splits") or {}
    rows = splits.get("validation", 0) + splits.get("test", 0)
    return [{"split": "validation and test", "rows": rows, "leaks": splits.get("leaks", 0)}] if rows else []


def empty_splits(report: Mapping[str, Any], recipe: Mapping[str, Any]) -> list[dict[str, str]]:
    """A warning where the recipe asks for held-out rows and none could be held out, because rows stay with their kin."""
    splits = report.get("splits") or {}
    options = next((each.get("options") or {} for each in recipe.get("steps", ()) if each["kind"] == "split"), {})
    empty = [name for name in ("validation", "test") if options.get(name) and splits.get(name) == 0]
    if not empty or not splits.get("train"):
        return []
    names, train = " and ".join(empty), splits["train"]
    if train < FEW_ROWS:
        message = f"No row is held back for {names}: only {train} {'is' if train == 1 else 'are'} left in all."
        fix = "Look at what was left out and why; where rows are too long, choose a model that takes longer ones."
    else:
        message = (
            f"No row is held back for {names}: rows that are near-copies, begin alike or belong to one conversation stay in "
            f"one split, and of these {train:,} too few stand apart."
        )
        fix = "Bring rows that differ more, or upload rows for these splits in a file of their own with a column named split."
    return [{"kind": "nothing_held_out", "message": message, "fix": fix}]


def step_chart(report: Mapping[str, Any]) -> BarChart | None:
    """Rows that each step left out, in the order of the steps; first those that never reached one."""
    steps = [
        (SHORT.get(each["kind"], each["kind"].replace("_", " ").capitalize()), each.get("dropped", 0))
        for each in report.get("steps") or []
    ]
    total = sum((report.get("rows") or {}).get("dropped", {}).values())
    unread = total - sum(count for _, count in steps)
    found = [(title, float(count)) for title, count in [("Reading the files", unread), *steps] if count > 0]
    return bar_chart(found, width=320)


@dataclass(frozen=True, slots=True)
class Balance:
    """Labels before and after balancing; `after` is None where nothing was balanced."""

    sentence: str
    before: BarChart | None
    after: BarChart | None
    effective: float
    labels: int


def balance_of(report: Mapping[str, Any]) -> Balance | None:
    """How even the labels of the training rows are; None without labels."""
    done = report.get("balance") or {}
    classes = (report.get("quality") or {}).get("classes") or {}
    after = done.get("after") or (report.get("classes") or {}).get("train") or {}
    before = done.get("before") or after
    if not classes or not after:
        return None
    ratio = classes["imbalance"]
    sentence = (
        f"The largest label, {classes['largest']['label']}, has {_times(ratio['after'])} the rows of the smallest, "
        f"{classes['smallest']['label']}"
    )
    moved = before != after
    sentence += f"; it was {_times(ratio['before'])} before balancing." if moved else "."
    shown = sorted(before, key=lambda label: (-before[label], label))[:SHOWN_LABELS]
    charts = [bar_chart([(label, float(side.get(label, 0))) for label in shown]) for side in (before, after)]
    return Balance(sentence, charts[0], charts[1] if moved else None, classes["effective"]["after"], classes["count"])


def _times(ratio: float) -> str:
    return "as many as" if ratio == 1 else f"{ratio:,.3g} times"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a token policy makes of the rows that are too long."""

    title: str
    becomes: str
    is_chosen: bool


def policies(tokens: Mapping[str, Any], recipe: Mapping[str, Any]) -> list[Policy]:
    """Each policy with its counts; empty where no row is too long, or none was counted."""
    would, over = tokens.get("would") or {}, tokens.get("over", 0)
    if not over:
        return []
    options: list[Any] = [
        each.get("options", {}).get("policy") for each in recipe.get("steps", []) if each["kind"] == "tokens"
    ]
    return [
        Policy(choice_word("tokens", "policy", name), _becomes(name, counts, over), name in options)
        for name, counts in would.items()
    ]


def _becomes(name: str, counts: Mapping[str, int], over: int) -> str:
    left = f"{counts.get('dropped', 0):,} left out"
    if name == "truncate":
        return f"{counts['shortened']:,} shortened, {left}"
    if name == "split":
        return f"{counts['split']:,} become {counts['parts']:,} rows, {left}" if counts["split"] else left
    return left if name == "drop" else f"stops at the first of {over:,}"


def variety(quality: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(what, how much, the term that explains it): lengths, different pairs of words, sources, near-copies."""
    if not quality:
        return []
    found = []
    for part, title in (("questions", "Questions"), ("answers", "Answers")):
        lengths, distinct = quality["words"].get(part), quality["distinct"].get(part)
        if lengths:
            found.append((f"{title}, length", f"{lengths['p50']:,} words; one in twenty over {lengths['p95']:,}", ""))
        if distinct and distinct["two"]:
            found.append((f"{title}, different pairs", f"{distinct['two']:.0%}", "distinct pairs"))
    clusters, files = quality["clusters"], quality["files"]
    found.append(("Different things said", f"{clusters['clusters']:,} in {quality['rows']:,} rows", ""))
    if files["count"] > 1:
        name, rows = next(iter(files["rows"].items()))
        found.append(("Files", f"{files['count']:,}; {name} has {rows / quality['rows']:.0%} of the rows", ""))
    if quality.get("languages"):
        named = ", ".join(f"{code} {rows:,}" for code, rows in list(quality["languages"].items())[:5])
        found.append(("Languages before filtering", named, ""))
    return found


def people_lists(languages: Mapping[str, int]) -> str:
    """By which lists of words rows were read: `lists of English words (900 rows) and German words (80)`. Reports of old
    knew English alone."""
    named = [(LISTED[code], rows) for code, rows in languages.items() if code in LISTED]
    if len(named) < 2:
        return f"a list of {named[0][0] if named else 'English'} words"
    first, *rest = (f"{name} ({rows:,} rows)" for name, rows in named)
    return f"lists of {', '.join([first, *rest[:-1]])} and {rest[-1]} words"


def group_chart(quality: Mapping[str, Any]) -> BarChart | None:
    """Training rows that speak of each group, the most spoken of first."""
    kinds = (quality.get("people") or {}).get("kinds", {})
    counted = [(group, float(found["rows"])) for groups in kinds.values() for group, found in groups.items()]
    return bar_chart(sorted(counted, key=lambda pair: (-pair[1], pair[0]))[:SHOWN_GROUPS])
