"""What an option of a step may be: its type, its default, its bounds. Pure values; knows no step and no file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Type = Literal["bool", "int", "float", "choice", "choices", "text", "texts", "map", "tree"]


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a step.

    type: `choice` is one of `choices`, `choices` a list of some of them; `text` a text or null; `texts` a list of texts;
    `map` gives names (any text) one of `choices` each, or a text where there are none; `tree` is any JSON value, which
    the step's own check reads. least, most: bounds of `int` and `float`, both included. Where `default` is None, null
    is taken too.
    """

    name: str
    type: Type
    default: object = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    def as_json(self) -> dict[str, object]:
        """The option as pages and REST documents show it."""
        return {
            "name": self.name,
            "type": self.type,
            "default": self.default,
            "choices": list(self.choices),
            "least": self.least,
            "most": self.most,
        }

    def fault(self, value: object) -> str | None:
        """What is wrong with a value, as the end of a sentence (`is a number`), or None."""
        if value is None and self.default is None:
            return None
        return _FAULTS[self.type](self, value)


def _listed(option: Option) -> str:
    return ", ".join(option.choices)


def _bool(_option: Option, value: object) -> str | None:
    return None if isinstance(value, bool) else "is true or false"


def _number(option: Option, value: object) -> str | None:
    whole = option.type == "int"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "is a whole number" if whole else "is a number"
    if whole and value != int(value):
        return "is a whole number"
    if option.least is not None and option.most is not None and not option.least <= value <= option.most:
        return f"lies between {option.least:g} and {option.most:g}"
    if option.least is not None and value < option.least:
        return f"is at least {option.least:g}"
    if option.most is not None and value > option.most:
        return f"is at most {option.most:g}"
    return None


def _choice(option: Option, value: object) -> str | None:
    return None if isinstance(value, str) and value in option.choices else f"is one of {_listed(option)}"


def _choices(option: Option, value: object) -> str | None:
    fits = isinstance(value, list) and all(isinstance(each, str) and each in option.choices for each in value)
    return None if fits else f"is a list of some of {_listed(option)}"


def _text(_option: Option, value: object) -> str | None:
    return None if isinstance(value, str) else "is a text"


def _texts(_option: Option, value: object) -> str | None:
    fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return None if fits else "is a list of texts"


def _map(option: Option, value: object) -> str | None:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        return "gives each name a text"
    if option.choices and not all(each in option.choices for each in value.values()):
        return f"gives each name one of {_listed(option)}"
    return None


def _tree(_option: Option, _value: object) -> str | None:
    return None


_FAULTS = {
    "bool": _bool,
    "int": _number,
    "float": _number,
    "choice": _choice,
    "choices": _choices,
    "text": _text,
    "texts": _texts,
    "map": _map,
    "tree": _tree,
}
