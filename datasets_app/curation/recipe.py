"""The recipe: which steps run, in which order, with which options. Checks what people wrote; runs nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from datasets_app.curation.errors import Refusal
from datasets_app.curation.layouts import ColumnMap, mapping_from_json
from datasets_app.curation.readers.options import Reading, readings_from_json

CLEANING = ("normalize", "personal_data")
KINDS = (*CLEANING, "exact_duplicates", "near_duplicates", "split", "tokens")
OPTIONS: dict[str, dict[str, object]] = {
    "normalize": {},
    "personal_data": {"turns": "all", "policy": {"URL": "keep"}, "default": "mask", "allow": []},
    "exact_duplicates": {},
    "near_duplicates": {"threshold": 0.7},
    "split": {
        "train": 0.8, "validation": 0.1, "test": 0.1, "seed": 0, "stratify": True, "validation_files": [],
    },
    "tokens": {"tokenizer": None, "limit": 512, "policy": "drop"},
}  # fmt: skip
CHOICES = {
    ("personal_data", "turns"): ("all", "user"),
    ("personal_data", "default"): ("mask", "drop_row", "keep"),
    ("tokens", "policy"): ("drop", "truncate", "refuse"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step that is switched on, its options complete."""

    kind: str
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A checked recipe. ``mapping`` None: each file's own is guessed. ``readings``: corrections by file name."""

    steps: tuple[Step, ...]
    mapping: ColumnMap | None = None
    system_prompt: str = ""
    readings: Mapping[str, Reading] = field(default_factory=dict)

    def step(self, kind: str) -> Step | None:
        """The step of that kind, or None where it is switched off or absent."""
        return next((step for step in self.steps if step.kind == kind), None)

    def as_json(self) -> dict[str, object]:
        """The recipe with every option spelled out; equal recipes give equal values."""
        steps = [{"kind": step.kind, "enabled": True, "options": dict(step.options)} for step in self.steps]
        mapping = self.mapping.as_json() if self.mapping else None
        reading = {name: parts.as_json() for name, parts in sorted(self.readings.items())}
        told: dict[str, object] = {
            "version": 1,
            "mapping": mapping,
            "system_prompt": self.system_prompt,
            "steps": steps,
        }
        return {**told, "reading": reading} if reading else told


def _bad(message: str) -> Refusal:
    return Refusal(code="bad_recipe", message=message, fix="Correct the recipe and run it again.")


def load_recipe(path: Path) -> Recipe:
    """Read and check the recipe in ``path``. Raises Refusal."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _bad(f"The recipe {path.name} cannot be read ({error}).") from error
    return parse_recipe(given)


def parse_recipe(given: object) -> Recipe:
    """Check a recipe as it came from JSON. Raises Refusal with the first thing that is wrong."""
    if not isinstance(given, dict) or given.get("version") != 1 or not isinstance(given.get("steps"), list):
        raise _bad("A recipe is an object with version 1 and a list of steps.")
    mapping = given.get("mapping")
    if mapping is not None and not isinstance(mapping, dict):
        raise _bad("The mapping of a recipe is an object or null.")
    steps = tuple(_step(step) for step in given["steps"] if not isinstance(step, dict) or step.get("enabled", True))
    _check_order([step.kind for step in steps])
    prompt = str(given.get("system_prompt") or "")
    readings = readings_from_json(given.get("reading") or {})
    return Recipe(steps, mapping_from_json(mapping) if mapping else None, prompt, readings)


def _step(given: object) -> Step:
    if not isinstance(given, dict) or given.get("kind") not in KINDS:
        kind = given.get("kind") if isinstance(given, dict) else given
        raise _bad(f"The step “{kind}” is not known. Known are: {', '.join(KINDS)}.")
    kind = str(given["kind"])
    options = given.get("options") or {}
    if not isinstance(options, dict):
        raise _bad(f"The options of {kind} are an object.")
    strange = set(options) - set(OPTIONS[kind])
    if strange:
        raise _bad(f"The step {kind} has no option “{sorted(strange)[0]}”.")
    complete = {**OPTIONS[kind], **options}
    _check_options(kind, complete)
    return Step(kind, complete)


def _check_order(kinds: list[str]) -> None:
    if len(set(kinds)) < len(kinds):
        raise _bad("Every step may stand in a recipe once.")
    fixed = [KINDS.index(kind) for kind in kinds if kind not in CLEANING]
    firsts = [kind in CLEANING for kind in kinds]
    if fixed != sorted(fixed) or firsts != sorted(firsts, reverse=True):
        raise _bad(f"Only the cleaning steps can change places; the order of the others is {', '.join(KINDS[2:])}.")


def _check_options(kind: str, options: Mapping[str, object]) -> None:
    for (of, name), choices in CHOICES.items():
        if of == kind and options[name] not in choices:
            raise _bad(f"The option {name} of {kind} is one of {', '.join(choices)}.")
    for name in ("validation_files", "allow"):
        if name in options and not _is_list_of_texts(options[name]):
            raise _bad(f"The option {name} of {kind} is a list of texts.")
    if kind == "split":
        _check_split(options)
    elif kind == "near_duplicates" and not 0.3 <= _number(options["threshold"], "threshold") <= 1.0:
        raise _bad("The threshold of near_duplicates lies between 0.3 and 1.")
    elif kind == "tokens" and _number(options["limit"], "limit") < 8:
        raise _bad("The limit of tokens is at least 8.")
    elif kind == "personal_data":
        _check_policy(options["policy"])


def _check_split(options: Mapping[str, object]) -> None:
    shares = [_number(options[name], name) for name in ("train", "validation", "test")]
    _number(options["seed"], "seed")
    if min(shares) < 0 or shares[0] <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise _bad("The shares of train, validation and test add up to 1; none is negative, and train is more than 0.")


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _check_policy(policy: object) -> None:
    choices = CHOICES["personal_data", "default"]
    if not isinstance(policy, dict) or any(choice not in choices for choice in policy.values()):
        raise _bad(f"The policy of personal_data gives each entity type one of {', '.join(choices)}.")


def number_option(step: Step | None, name: str) -> float:
    """A numeric option of a step; 0 where the step is absent."""
    return _number(step.options[name], name) if step else 0.0


def texts_option(step: Step, name: str) -> list[str]:
    """An option that is a list of texts."""
    value = step.options[name]
    return [str(item) for item in value] if isinstance(value, list) else []


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(f"The option {name} is a number.")
    return float(value)
