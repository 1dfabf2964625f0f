"""The recipe as cards: one a step, switched, moved and filled in; a form's answer becomes a recipe again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from datasets_app import recipes
from datasets_app.curation.kind import Kind
from datasets_app.curation.kinds import BY_NAME, HIDING, KINDS, TIDYING
from datasets_app.web.option_fields import OptionsForm

WITHOUT_CARD = frozenset({"edits"})


@dataclass(frozen=True, slots=True)
class Card:
    """One step on the page."""

    kind: Kind
    enabled: bool
    form: OptionsForm

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def title(self) -> str:
        return recipes.STEP_HINTS.get(self.name, (self.name.replace("_", " ").capitalize(), ""))[0]

    @property
    def why(self) -> str:
        return recipes.STEP_HINTS.get(self.name, ("", ""))[1]

    @property
    def summary(self) -> str:
        """The first settings in words, for the closed card."""
        said = []
        for bound in self.form:
            value = bound.value()
            if isinstance(value, bool) or value in (None, "", [], {}) or isinstance(value, Mapping):
                continue
            choices = dict(getattr(bound.field, "choices", ()))
            shown = choices.get(value, value) if not isinstance(value, list) else f"{len(value)} entries"
            said.append(f"{bound.label}: {shown}")
        return " · ".join(said[:3])


class RecipeForm:
    """All cards of a recipe, in their order. Bound to a POST it gives the recipe back."""

    def __init__(self, cards: Sequence[Card], *, kept: Mapping[str, Any]) -> None:
        self.cards, self.kept = list(cards), dict(kept)

    @property
    def moving(self) -> list[Card]:
        return [card for card in self.cards if card.kind.moves]

    @property
    def fixed(self) -> list[Card]:
        return [card for card in self.cards if not card.kind.moves]

    @property
    def carried(self) -> str:
        """What the page has no fields for, as JSON: it travels through the form and is checked with the rest."""
        options = {card.name: card.form.carried for card in self.cards if card.form.carried}
        return json.dumps({**self.kept, "options": options})

    def is_valid(self) -> bool:
        faults = [card.name for card in self.cards if not card.form.is_valid()]  # every form is asked and shows its own
        return not faults

    def body(self) -> recipes.Recipe:
        """The recipe that the cards describe, steps without a card first."""
        steps = [
            *self.kept.get("steps", []),
            *[{"kind": card.name, "enabled": card.enabled, "options": card.form.options()} for card in self.cards],
        ]
        order = [kind.name for kind in _ordered([card.name for card in self.moving])]
        steps.sort(key=lambda each: order.index(each["kind"]) if each["kind"] in order else -1)
        return {"version": 1, "mapping": self.kept.get("mapping"), "system_prompt": "", "steps": steps}

    def refuse(self, message: str) -> None:
        """Show the engine's sentence at the step that it names; on the first one where it names none."""
        at = next((card for card in self.cards if f"of {card.name} " in message), self.cards[0])
        at.form.add_error(None, message)


def _ordered(names: Sequence[str]) -> list[Kind]:
    """Every kind: those that move in the order of `names`, what is not named after them; the others where they stand."""
    moving = [kind for kind in KINDS if kind.moves]
    first = [BY_NAME[name] for name in dict.fromkeys(names) if name in BY_NAME and BY_NAME[name].moves]
    found = [*first, *[kind for kind in moving if kind not in first]]
    if found.index(BY_NAME[HIDING]) < found.index(BY_NAME[TIDYING]):  # it would uncover what was hidden
        found.remove(BY_NAME[TIDYING])
        found.insert(found.index(BY_NAME[HIDING]), BY_NAME[TIDYING])
    movers = iter(found)
    return [next(movers) if kind.moves else kind for kind in KINDS]


def _with_cards(names: Sequence[str]) -> list[Kind]:
    return [kind for kind in _ordered(names) if kind.name not in WITHOUT_CARD]


def of_body(body: recipes.Recipe) -> RecipeForm:
    """The cards of a recipe; kinds that it lacks are there, switched off."""
    steps = {each["kind"]: each for each in body["steps"] if each["kind"] in BY_NAME}
    cards = []
    for kind in _with_cards(list(steps)):
        step = steps.get(kind.name, {"enabled": False, "options": {}})
        options = {**kind.defaults(), **step.get("options", {})}
        form = OptionsForm(kind, initial=options)
        form.keep(options)
        cards.append(Card(kind, bool(step.get("enabled", True)), form))
    own = [each for each in body["steps"] if each["kind"] in WITHOUT_CARD]
    return RecipeForm(cards, kept={"mapping": body.get("mapping"), "steps": own})


def of_post(post: QueryDict) -> RecipeForm:
    """The cards as a form sent them: `order` names the moving steps, `on` those that are switched on."""
    carried = _carried(post.get("carried", ""))
    options = carried.pop("options", {})
    switched = set(post.getlist("on"))
    cards = [
        Card(kind, kind.name in switched, OptionsForm(kind, post, carried=options.get(kind.name)))
        for kind in _with_cards(post.getlist("order"))
    ]
    return RecipeForm(cards, kept=carried)


def _carried(text: str) -> dict[str, Any]:
    """What travelled through the form; anything odd counts as nothing, and the engine's check has the last word."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    steps = found.get("steps")
    mapping, options = found.get("mapping"), found.get("options")
    return {
        "mapping": mapping if isinstance(mapping, dict) else None,
        "steps": [each for each in steps if isinstance(each, dict) and each.get("kind") in WITHOUT_CARD]
        if isinstance(steps, list)
        else [],
        "options": {name: value for name, value in options.items() if isinstance(value, dict)}
        if isinstance(options, dict)
        else {},
    }


def can_swap(earlier: int, later: int, *, names: Sequence[str]) -> bool:
    """Whether two neighbours may change places: personal data is hidden once the text is tidy."""
    return (names[earlier], names[later]) != (TIDYING, HIDING)


def moved(names: Sequence[str], wish: str) -> list[str]:
    """`names` with one moved: `up:spelling` or `down:spelling`. A wish that cannot be is no change."""
    found, (way, _, name) = list(names), wish.partition(":")
    if name in found:
        place = found.index(name)
        other = place + (-1 if way == "up" else 1)
        if 0 <= other < len(found) and can_swap(*sorted((place, other)), names=found):
            found[place], found[other] = found[other], found[place]
    return found
