"""The recipe: which steps run, in which order, with which options. Checks what people wrote; runs nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from datasets_app.curation.errors import Refusal
from datasets_app.curation.kinds import BY_NAME, order_fault
from datasets_app.curation.layouts import ColumnMap, mapping_from_json
from datasets_app.curation.readers.options import Reading, readings_from_json


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

    @property
    def looks_for_names(self) -> bool:
        """Whether names and addresses are looked for too; whatever shows a row's text then hides them as well."""
        step = self.step("personal_data")
        return step is not None and bool(step.options["names"])

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
    """Check a recipe as it came from JSON, switched-off steps too. Raises Refusal with the first thing that is wrong."""
    if not isinstance(given, dict) or given.get("version") != 1 or not isinstance(given.get("steps"), list):
        raise _bad("A recipe is an object with version 1 and a list of steps.")
    mapping = given.get("mapping")
    if mapping is not None and not isinstance(mapping, dict):
        raise _bad("The mapping of a recipe is an object or null.")
    steps = [_step(step) for step in given["steps"]]
    fault = order_fault([step.kind for step in steps])
    if fault:
        raise _bad(fault)
    on = tuple(step for step, each in zip(steps, given["steps"], strict=True) if each.get("enabled", True))
    prompt = str(given.get("system_prompt") or "")
    readings = readings_from_json(given.get("reading") or {})
    return Recipe(on, mapping_from_json(mapping) if mapping else None, prompt, readings)


def _step(given: object) -> Step:
    name = given.get("kind") if isinstance(given, dict) else given
    kind = BY_NAME.get(name) if isinstance(name, str) else None
    if not isinstance(given, dict) or kind is None:
        raise _bad(f"The step “{name}” is not known. Known are: {', '.join(BY_NAME)}.")
    options = given.get("options", {})
    if not isinstance(options, dict):
        raise _bad(f"The options of {kind.name} are an object.")
    complete = {**kind.defaults(), **options}
    strange = set(complete) - set(kind.defaults())
    if strange:
        raise _bad(f"The step {kind.name} has no option “{sorted(strange)[0]}”.")
    fault = kind.fault(complete)
    if fault:
        raise _bad(fault)
    return Step(kind.name, complete)


def number_option(step: Step | None, name: str) -> float:
    """A numeric option of a step; 0 where the step is absent."""
    value = step.options[name] if step else 0
    return float(value) if isinstance(value, int | float) else 0.0


def texts_option(step: Step, name: str) -> list[str]:
    """An option that is a list of texts."""
    value = step.options[name]
    return [str(item) for item in value] if isinstance(value, list) else []
