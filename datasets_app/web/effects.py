"""What a preview counted, in words: for the sample as a whole, and for each step with rows before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.web.foreseen import Foreseen, Seen, foreseen
from datasets_app.web.wording import Piece, changed


@dataclass(frozen=True, slots=True)
class Example:
    """One row before and after a step; `pieces` is the later text with what changed marked."""

    where: str
    before: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One row that a step would leave out, with the sentence why."""

    where: str
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What one step would do to the sample."""

    name: str
    changed: int
    dropped: int
    flagged: int
    reasons: tuple[tuple[str, int], ...]
    examples: tuple[Example, ...]
    left_out: tuple[LeftOut, ...]
    foreseen: Foreseen

    @property
    def is_idle(self) -> bool:
        return not (self.changed or self.dropped or self.flagged)


@dataclass(frozen=True, slots=True)
class Effects:
    """What the whole recipe would do to `kept` of the rows that were `seen`."""

    seen: Seen
    kept: int
    steps: tuple[Effect, ...]
    before: tuple[Effect, ...]
    notes: tuple[str, ...]

    @property
    def left(self) -> int:
        return self.seen.sampled - self.kept


def of_result(result: Mapping[str, Any], recipe: Mapping[str, Any]) -> Effects:
    """The result of `curation preview` as the page shows it; what has no card (reading, columns) stands in `before`."""
    rows = result.get("rows", {})
    seen = Seen(rows.get("sampled", 0), rows.get("seen", 0), rows.get("whole", True))
    found = [_effect(each, foreseen(each["kind"], result, recipe, seen)) for each in result.get("steps", [])]
    return Effects(
        seen,
        rows.get("kept", 0),
        tuple(each for each in found if each.name not in ("read", "map", "edits")),
        tuple(each for each in found if each.name in ("read", "map", "edits")),
        tuple(result.get("notes", [])),
    )


def _effect(step: Mapping[str, Any], words: Foreseen) -> Effect:
    reasons = sorted({**step["flagged"], **step["dropped"]}.items(), key=lambda pair: -pair[1])
    return Effect(
        str(step["kind"]),
        step["changed"],
        sum(step["dropped"].values()),
        sum(step["flagged"].values()),
        tuple(reasons),
        tuple(
            Example(_where(each), str(each["before"]), tuple(changed(str(each["before"]), str(each["after"]))))
            for each in step["examples"]
        ),
        tuple(LeftOut(_where(each), str(each["detail"]), str(each["text"])) for each in step["dropped_examples"]),
        words,
    )


def _where(each: Mapping[str, Any]) -> str:
    return f"{each['file']}, row {each['row'] + 1:,}"
