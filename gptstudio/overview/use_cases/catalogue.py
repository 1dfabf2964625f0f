"""The use cases there are, each read from the file that is named after it. It writes nothing."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from datasets_app import recipes
from gptstudio.core.errors import NotFound
from training_app import presets

KEYS = ("support", "writing", "assistant", "character")


@dataclass(frozen=True, slots=True)
class UseCase:
    """One of them. `recipe_preset` and `preset` are keys of curation's and of training's presets; what is `never_personal`
    are names that the sample is about, and `near` is how alike rows are that must stay together, where that is not usual."""

    key: str
    title: str
    hint: str
    name: str
    file: str
    rows: int
    recipe_preset: str
    preset: str
    near: float | None
    never_personal: tuple[str, ...]
    system_prompt: str
    questions: tuple[str, ...]

    @property
    def recipe(self) -> recipes.Recipe:
        """Its curation steps, with its instructions."""
        body = copy.deepcopy(recipes.preset(self.recipe_preset)["recipe"])
        if self.near is not None:
            recipes.step(body, "near_duplicates")["options"]["threshold"] = self.near
        if self.never_personal:
            recipes.step(body, "personal_data")["options"]["allow"] = list(self.never_personal)
        return {**body, "system_prompt": self.system_prompt}

    @property
    def preset_title(self) -> str:
        return str(presets.preset(self.preset)["title"])

    @property
    def aim(self) -> dict[str, Any]:
        """What a data set keeps of it, so that each later step finds its own part there."""
        return {
            "use_case": self.key,
            "title": self.title,
            "recipe": self.recipe,
            "preset": self.preset,
            "questions": list(self.questions),
        }

    def for_own_file(self) -> UseCase:
        """The same for a file of one's own: without the sample's invented names."""
        own = written(self.key)["own"]
        return replace(
            self, name=self.title, near=None, never_personal=(), system_prompt=own["system_prompt"],
            questions=tuple(own["questions"]),
        )  # fmt: skip


@cache
def written(key: str) -> dict[str, Any]:
    """The file of a use case as it is."""
    return tomllib.loads((Path(__file__).parent / f"{key}.toml").read_text(encoding="utf-8"))


@cache
def use_cases() -> tuple[UseCase, ...]:
    """All of them, in the order in which they are shown."""
    return tuple(_of(key, written(key)) for key in KEYS)


def _of(key: str, found: dict[str, Any]) -> UseCase:
    return UseCase(
        key=key,
        title=found["title"],
        hint=found["hint"],
        name=found["name"],
        file=found["file"],
        rows=found["rows"],
        recipe_preset=found["recipe"],
        preset=found["preset"],
        near=found.get("near"),
        never_personal=tuple(found["never_personal"]),
        system_prompt=found["system_prompt"],
        questions=tuple(found["questions"]),
    )


def use_case(key: str) -> UseCase:
    """One by its key."""
    for each in use_cases():
        if each.key == key:
            return each
    raise NotFound(f"There is no use case {key!r}.")
