"""What a preview counted of the steps that look at many rows, in words: exact where it saw all of them, else as much as a
sample can tell. Counts nothing itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.web.report_words import SHOWN_LABELS, Policy, empty_splits, policies

UNLIKELY = 3  # rows of a sample, none of which is of a kind: 95 % sure that fewer than 3 in so many are (rule of three)
NOT_DRAWN = "A copy shows only where its other half was drawn too."
Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """How much a preview saw: `sampled` rows, drawn by chance from `seen`; `whole`: these are all that there are."""

    sampled: int = 0
    seen: int = 0
    whole: bool = True

    @property
    def is_all(self) -> bool:
        """Whether no row was left unseen."""
        return self.whole and self.sampled == self.seen

    @property
    def scale(self) -> float:
        """Rows for each of the sample."""
        return self.seen / max(1, self.sampled)

    @property
    def rows(self) -> str:
        """What the sample speaks for."""
        return f"{'' if self.whole else 'the first '}{self.seen:,} rows"

    def scaled(self, count: int) -> int:
        """So many of the sample in all rows."""
        return count if self.is_all else figures(count * self.scale)

    def about(self, count: int) -> str:
        """The same in words: `about 3,400`."""
        return f"{count:,}" if self.is_all else f"about {self.scaled(count):,}"


def figures(estimate: float) -> int:
    """An estimate to two figures: more would promise too much."""
    whole = round(estimate)
    return round(whole, min(0, 2 - len(str(whole))))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What is said at a step's card. labels: (label, training rows before, after balancing)."""

    lines: tuple[str, ...] = ()
    labels: tuple[tuple[str, int, int], ...] = ()
    policies: tuple[Policy, ...] = ()


def foreseen(kind: str, result: Result, recipe: Result, seen: Seen) -> Foreseen:
    """Of one step; empty for steps that go row by row, and where no row came as far as these."""
    return WORDS[kind](result, recipe, seen) if kind in WORDS and "splits" in result else Foreseen()


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _times(ratio: float) -> str:
    return "just as many" if ratio == 1 else f"{ratio:,.3g} times as many"


def _left_out(result: Result, kind: str) -> int:
    return sum(sum(each["dropped"].values()) for each in result["steps"] if each["kind"] == kind)


def _exact_copies(result: Result, _recipe: Result, seen: Seen) -> Foreseen:
    gone = _left_out(result, "exact_duplicates")
    if seen.is_all or not gone:
        return Foreseen()
    return Foreseen(
        (f"{_rows(gone)} of the sample left out, so at least {gone / seen.sampled:.1%} of all. {NOT_DRAWN}",)
    )


def _near_copies(result: Result, _recipe: Result, seen: Seen) -> Foreseen:
    rows, clusters = result["duplicates"]["near_rows"], result["duplicates"]["near_clusters"]
    where = "" if seen.is_all else " of the sample"
    if not rows:
        line = f"No row{where} says nearly the same as another."
    else:
        line = (
            f"{_rows(rows)}{where} say nearly the same as another, in {clusters:,} group{'' if clusters == 1 else 's'}"
        )
        line += "." if seen.is_all else f": at least {rows / seen.sampled:.1%} of all rows do."
        gone = _left_out(result, "near_duplicates")
        line += f" {gone:,} of them left out." if gone else " They stay, each group in one part."
    return Foreseen((line,) if seen.is_all else (line, NOT_DRAWN))


def _split(result: Result, recipe: Result, seen: Seen) -> Foreseen:
    parts = [seen.about(result["splits"][name]) for name in ("train", "validation", "test")]
    line = "{} to learn from, {} to steer by, {} for the exam.".format(*parts)
    groups, where = result["groups"], "" if seen.is_all else " of the sample"
    lines = [f"{line[0].upper()}{line[1:]}"]
    if groups["rows"]:
        least = "" if seen.is_all else "at least "
        lines.append(
            f"No split divides rows that belong together: {least}{_rows(groups['rows'])}{where}, "
            f"up to {groups['largest']:,} in a group."
        )
    return Foreseen((*lines, *(f"{each['message']} {each['fix']}" for each in empty_splits(result, recipe))))


def _balance(result: Result, _recipe: Result, seen: Seen) -> Foreseen:
    done = result["balance"]
    before, after = done.get("before"), done.get("after")
    if not before or not after:
        return Foreseen(("No row to learn from has a label, so there is nothing to even out.",))
    was, now = (_times(done["imbalance"][name]) for name in ("before", "after"))
    line = f"The largest label has {was} rows as the smallest{'' if before == after else f', afterwards {now}'}."
    if not seen.is_all:
        line += " Sizes are estimated from the sample; a label too rare to be drawn is not among them."
    told: Callable[[int], int] = int if seen.is_all else figures
    shown = sorted(before, key=lambda label: (-before[label], label))[:SHOWN_LABELS]
    return Foreseen((line,), tuple((label, told(before[label]), told(after.get(label, 0))) for label in shown))


def _tokens(result: Result, recipe: Result, seen: Seen) -> Foreseen:
    tokens = result["tokens"]
    if not tokens:
        return Foreseen(("Lengths are not counted: the base model has no tokenizer here.",))
    over, limit = tokens["over"], f"longer than {tokens['limit']:,} tokens"
    if not over and seen.is_all:
        return Foreseen((f"No row is {limit}.",))
    if not over:
        most = math.ceil(UNLIKELY * seen.scale)
        return Foreseen((f"No row of the sample is {limit}; of {seen.rows} most likely fewer than {most:,} are.",))
    would = {
        name: {what: seen.scaled(count) for what, count in counts.items()} for name, counts in tokens["would"].items()
    }
    found = f"{seen.about(over)} of {seen.rows}"
    line = f"{found[0].upper()}{found[1:]} {'is' if over == 1 and seen.is_all else 'are'} {limit}."
    return Foreseen((line,), policies=tuple(policies({"over": seen.scaled(over), "would": would}, recipe)))


WORDS: Mapping[str, Callable[[Result, Result, Seen], Foreseen]] = {
    "exact_duplicates": _exact_copies,
    "near_duplicates": _near_copies,
    "split": _split,
    "balance": _balance,
    "tokens": _tokens,
}
