"""What a preview counted, in words: for the whole recipe, and for each step with rows before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.web.wording import Piece, changed


@dataclass(frozen=True, slots=True)
class Example:
    """One row before and after a step; `pieces` is the later text with what changed marked."""

    where: str
    before: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What one step would do."""

    name: str
    changed: int
    dropped: int
    reasons: tuple[tuple[str, int], ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Effects:
    """What the whole recipe would do."""

    taken: int = 0
    kept: int = 0
    steps: tuple[Effect, ...] = ()

    @property
    def left(self) -> int:
        return self.taken - self.kept


def of_result(result: Mapping[str, Any]) -> Effects:
    """The result of `curation preview` as the page shows it."""
    rows = result.get("rows", {})
    steps = tuple(_effect(each) for each in result.get("steps", []))
    return Effects(rows.get("in", 0), rows.get("kept", 0), steps)


def _effect(step: Mapping[str, Any]) -> Effect:
    reasons = sorted(step.get("dropped", {}).items(), key=lambda pair: -pair[1])
    return Effect(
        str(step["kind"]),
        step.get("changed", 0),
        sum(count for _reason, count in reasons),
        tuple(reasons),
        tuple(_example(each) for each in step.get("examples", [])),
    )


def _example(each: Mapping[str, Any]) -> Example:
    before, after = str(each["before"]), str(each["after"])
    return Example(f"{each['file']}, row {each['row'] + 1:,}", before, tuple(changed(before, after)))
