"""What measured quality says about the model that learns from it, in sentences: what, and what to do. Counts nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

ENOUGH_ROWS = 30  # of fewer, shares say little
SPOKEN_OF = 0.02  # of the rows name a gender; of fewer a model learns little about people
LESS_SPOKEN_OF = 4  # times as many rows speak of men as of women, or the other way about
TIED = 2  # times as often as in all rows
SURE = 4  # standard deviations: about one in thirty thousand by chance
IMBALANCED = 10
ALIKE = 0.1  # of the answers are one and the same
PLAIN = 0.3  # distinct-2 of prose that people wrote lies above a half
COVERED = 0.5
TERSE = 3  # words
MOST_TIES = 5


def warnings_of(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """`[{kind, message, fix}]` on what `measured` found."""
    parts = (_imbalance(found), _answers(found), _sameness(found), _genders(found), _ties(found))
    return [dict(zip(("kind", "message", "fix"), each, strict=True)) for part in parts for each in part]


Said = Iterator[tuple[str, str, str]]


def _imbalance(found: Mapping[str, Any]) -> Said:
    classes = found["classes"]
    if classes and classes["imbalance"]["after"] >= IMBALANCED:
        most, least = classes["largest"], classes["smallest"]
        yield (
            "imbalance",
            f"The label {most['label']} has {most['rows']:,} training rows and {least['label']} has {least['rows']:,}: "
            f"{classes['imbalance']['after']:,.0f} to 1. A model will choose the large one when in doubt.",
            "Switch on balancing in the recipe, or bring more rows of the small labels.",
        )


def _answers(found: Mapping[str, Any]) -> Said:
    common, words = found["commonest_answer"], found["words"].get("answers", {})
    if common and found["rows"] >= ENOUGH_ROWS and common["share"] >= ALIKE:
        yield (
            "answers_alike",
            f"One and the same answer stands in {common['rows']:,} of {found['rows']:,} training rows "
            f"({common['share']:.0%}). A model will give it to questions that it does not fit.",
            "Look at these rows, and leave some of them out if they are not all meant.",
        )
    if words and found["rows"] >= ENOUGH_ROWS and words["p50"] <= TERSE:
        yield (
            "terse",
            f"Half of the answers have {words['p50']} word{'' if words['p50'] == 1 else 's'} or fewer. "
            "A model will be as brief as they are.",
            "Check that the answer's column is the right one; a filter on length leaves out the shortest.",
        )


def _sameness(found: Mapping[str, Any]) -> Said:
    clusters = found["clusters"]
    if found["rows"] >= ENOUGH_ROWS and clusters["coverage"] < COVERED:
        yield (
            "near_copies",
            f"{found['rows']:,} training rows say only {clusters['clusters']:,} different things; the rest are near-copies, "
            f"{clusters['largest']:,} of one alone.",
            "Let the recipe keep the best of near-copies, or bring rows that differ.",
        )
    for part, name in (("questions", "questions"), ("answers", "answers")):
        shares = found["distinct"].get(part)
        if shares and found["words"][part]["total"] >= shares["sample"] and shares["two"] < PLAIN:
            yield (
                "monotonous",
                f"The {name} repeat themselves: of {shares['sample']:,} pairs of neighbouring words only {shares['two']:.0%} are "
                "different ones. A model will learn the pattern and little else.",
                "Bring rows that were written by more people or for more occasions.",
            )


def _genders(found: Mapping[str, Any]) -> Said:
    gender = found["people"]["kinds"].get("gender", {})
    women, men = (gender.get(name, {}).get("rows", 0) for name in ("women", "men"))
    (few, less), (many, more) = sorted(((women, "women"), (men, "men")))
    if women + men >= max(ENOUGH_ROWS, SPOKEN_OF * found["rows"]) and many >= LESS_SPOKEN_OF * few:
        yield (
            "gender",
            f"{many:,} training rows speak of {more} and {few:,} of {less}. "
            f"A model will take people for {more} where nothing else is said.",
            f"Bring rows that speak of {less}, or speak of people without naming a gender.",
        )


def _ties(found: Mapping[str, Any]) -> Said:
    """Groups that stand under one label far more often than rows at large do: the binomial's normal approximation."""
    labels = found["labels"]
    total, ties = sum(labels.values()), []
    for groups in found["people"]["kinds"].values():
        for group, counted in groups.items():
            rows = sum(counted["labels"].values())
            for label, count in counted["labels"].items():
                usual = labels[label] / total
                spread = math.sqrt(rows * usual * (1 - usual))
                if (
                    rows >= ENOUGH_ROWS
                    and count >= TIED * usual * rows
                    and spread
                    and count - rows * usual >= SURE * spread
                ):
                    ties.append(((count - rows * usual) / spread, group, label, count, rows, usual))
    for _sure, group, label, count, rows, usual in sorted(ties, reverse=True)[:MOST_TIES]:
        yield (
            "tied_to_label",
            f"{count:,} of the {rows:,} training rows that speak of {group} have the label {label} ({count / rows:.0%}); of all "
            f"rows {usual:.0%} have it. A model will tie the two together.",
            f"If that is not meant, bring rows that speak of {group} under other labels.",
        )
