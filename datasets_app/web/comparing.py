"""Two recipes side by side: which steps run, in which order, with which options. Knows where they come from, no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app import recipes, selectors
from datasets_app.curation.kinds import BY_NAME
from datasets_app.web.step_words import choice_word, option_words
from gptstudio.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two recipes."""

    title: str
    id: str
    body: recipes.Recipe


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that both recipes say something about."""

    step: str
    what: str
    a: str
    b: str

    @property
    def is_equal(self) -> bool:
        return self.a == self.b


def side(workspace_id: str, subject_id: str) -> Side | None:
    """A kept recipe (`rcp_…`) or a version's (`dsv_…`) of this workspace; None where nothing is named."""
    if not subject_id:
        return None
    if subject_id.startswith("dsv_"):
        version = selectors.version_of(workspace_id, subject_id)
        return Side(str(version), version.id, version.recipe)
    if subject_id.startswith("rcp_"):
        recipe = selectors.recipe_of(workspace_id, subject_id)
        return Side(recipe.name, recipe.id, recipe.body)
    raise NotFound(f"There is no recipe {subject_id[:60]} in this workspace.")


def lines(a: recipes.Recipe, b: recipes.Recipe) -> list[Line]:
    """Every step and option in which the two differ, and the steps in which they do not, in the engine's order."""
    places = [_places(body) for body in (a, b)]
    found = []
    for name in BY_NAME:
        title = recipes.STEP_HINTS.get(name, (name.replace("_", " ").capitalize(),))[0]
        steps: list[dict[str, Any]] = [
            next((each for each in body["steps"] if each["kind"] == name), {}) for body in (a, b)
        ]
        runs = [bool(step) and step.get("enabled", True) for step in steps]
        found.append(Line(title, "", *[_stand(places[side].get(name), on) for side, on in enumerate(runs)]))
        if all(runs):
            found += _options(name, title, *(step.get("options", {}) for step in steps))
    found.append(Line("Instructions for the model", "", *[str(body.get("system_prompt") or "none") for body in (a, b)]))
    found.append(Line("Planted secrets", "", *[str(len(body.get("canaries", []))) for body in (a, b)]))
    return found


def _places(body: recipes.Recipe) -> dict[str, int]:
    running = [each["kind"] for each in body["steps"] if each.get("enabled", True)]
    return {name: place for place, name in enumerate((kind for kind in running if BY_NAME.get(kind)), start=1)}


def _stand(place: int | None, on: bool) -> str:
    return f"step {place}" if on and place else "off"


def _options(name: str, title: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Line]:
    found = []
    defaults = BY_NAME[name].defaults()
    for option, default in {**defaults, **dict.fromkeys([*a, *b])}.items():
        default = defaults.get(option, default)
        pair = [said(name, option, given.get(option, default)) for given in (a, b)]
        if pair[0] != pair[1]:
            found.append(Line(title, option_words(name, option).title, *pair))
    return found


def said(kind: str, option: str, value: object) -> str:
    """An option's value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {said(kind, option, each)}" for key, each in value.items()) or "nothing"
    if isinstance(value, list):
        return ", ".join(said(kind, option, each) for each in value[:8]) + (" …" if len(value) > 8 else "") or "nothing"
    if isinstance(value, str):
        return choice_word(kind, option, value) if value.islower() and value.isidentifier() else value
    return "nothing" if value is None else str(value)
