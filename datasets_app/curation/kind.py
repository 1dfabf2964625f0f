"""What a kind of step is: its name, options and place. Knows no step by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from datasets_app.curation.options import Option

STEPS = "datasets_app.curation.steps"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of step.

    moves: a cleaning step, which may change places with the other cleaning steps. step: `module:Class` of a step that
    runs row by row in the first pass; empty where the step looks at many rows and the pipeline runs it. check: what
    options mean together, as a sentence when it is wrong; called after each option has been checked by itself. survey:
    `module:Class` of what a step must know of the data as a whole before it sees the first row (see `surveys.py`).
    """

    name: str
    options: tuple[Option, ...] = ()
    moves: bool = False
    step: str = ""
    survey: str = ""
    check: Callable[[Mapping[str, object]], str | None] | None = None

    def defaults(self) -> dict[str, object]:
        """Every option with its default."""
        return {option.name: option.default for option in self.options}

    def as_json(self) -> dict[str, object]:
        """The kind as pages and REST documents show it."""
        return {"kind": self.name, "moves": self.moves, "options": [option.as_json() for option in self.options]}

    def fault(self, options: Mapping[str, object]) -> str | None:
        """The first thing that is wrong with complete options, as a sentence, or None."""
        for option in self.options:
            fault = option.fault(options[option.name])
            if fault:
                return f"The option {option.name} of {self.name} {fault}."
        return self.check(options) if self.check else None
