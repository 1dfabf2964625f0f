"""The road: Upload, Curate, Train, Evaluate, Release, Serve. One strip of six steps on home and on every object.

Where a thing stands is known by the top floor alone, which registers a builder when it starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KEYS = ("upload", "curate", "train", "evaluate", "release", "serve")
TITLES = ("Upload", "Curate", "Train", "Evaluate", "Release", "Serve")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it says, where it leads, whether the page's object stands there."""

    key: str
    title: str
    says: str = "–"
    url: str = ""
    here: bool = False
    tone: str = ""


Builder = Callable[[Any], list[Step]]
_builders: dict[str, Builder] = {}


def register(noun: str, builder: Builder) -> None:
    """Say how the road of a `dataset`, `version`, `job`, `model` or `deployment` is found."""
    _builders[noun] = builder


def road_of(noun: str, subject: Any) -> list[Step]:
    """The six steps for one object; empty when nobody registered."""
    builder = _builders.get(noun)
    return builder(subject) if builder is not None else []


def steps(says: dict[str, tuple[str, str]], *, here: str, tones: dict[str, str] | None = None) -> list[Step]:
    """Six steps from `{key: (words, address)}`; what is missing shows a dash."""
    tones = tones or {}
    return [
        Step(key, title, *says.get(key, ("–", "")), here=key == here, tone=tones.get(key, ""))
        for key, title in zip(KEYS, TITLES, strict=True)
    ]
