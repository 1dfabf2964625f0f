"""The form of a search for settings: a run as for any fine-tune, and for some of its settings a range instead of a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms

from gptstudio.core.errors import Invalid
from training_app import presets, trials
from training_app.models import LanguageModel
from training_app.web.forms import TITLES, JobForm
from training_app.wording import in_words

AT_FIRST = ("learning_rate", "n_epochs", "lora_rank")
FIRST = 4  # settings that are seen at once; the others are folded away


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting that may be searched over: its box, and two ends or several words."""

    name: str
    title: str
    hint: str
    box: forms.BoundField
    ends: list[forms.BoundField]
    among: forms.BoundField | None

    @property
    def errors(self) -> list[str]:
        """What is wrong with it, in sentences."""
        bound = [self.box, *self.ends, *([self.among] if self.among else [])]
        return [str(error) for each in bound for error in each.errors]


class SweepForm(JobForm):
    """What to train, on what, and what to vary. `usual` has by setting the range that is filled in at first."""

    length = forms.IntegerField(
        label="Trials",
        min_value=trials.FEWEST,
        max_value=trials.MOST,
        initial=trials.USUAL,
        help_text="Each trains once, one after another. Ten to thirty find most of what there is.",
    )

    def __init__(self, *args: Any, usual: dict[str, dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        at_first = [name for name in AT_FIRST if not name.startswith("lora_") or self.initial.get("method") != "full"]
        for name in trials.SEARCHABLE:
            self.fields[f"try_{name}"] = forms.BooleanField(
                label=TITLES[name], required=False, initial=name in at_first
            )
            if name in trials.AMONG:
                words = [
                    (each, in_words(each))
                    for each in presets.CHOICES[name]
                    if each not in presets.GPU_ALONE.get(name, ())
                ]
                self.fields[f"among_{name}"] = forms.MultipleChoiceField(
                    label=TITLES[name], choices=words, required=False, widget=forms.CheckboxSelectMultiple,
                    initial=usual[name]["choices"],
                )  # fmt: skip
                continue
            low, high, _whole = presets.RANGES[name]
            for end in ("low", "high"):
                field = forms.FloatField(
                    label=f"{TITLES[name]}, {'from' if end == 'low' else 'to'}",
                    min_value=low,
                    max_value=high,
                    required=False,
                )
                field.initial = usual[name][end]
                field.widget.attrs.update({"step": "any", "aria-label": field.label})
                self.fields[f"{end}_{name}"] = field

    def space(self) -> dict[str, dict[str, Any]]:
        """What is to be searched over, as it was filled in."""
        found: dict[str, dict[str, Any]] = {}
        for name in trials.SEARCHABLE:
            if not self.cleaned_data[f"try_{name}"]:
                continue
            if name in trials.AMONG:
                found[name] = {"choices": self.cleaned_data[f"among_{name}"]}
                continue
            ends = {end: self.cleaned_data[f"{end}_{name}"] for end in ("low", "high")}
            found[name] = {end: _whole(value) for end, value in ends.items() if value is not None}
        return found

    def choices(self) -> list[Choice]:
        """The settings that may be searched over, for the page."""
        return [self._choice(name) for name in trials.SEARCHABLE]

    def has_further(self) -> bool:
        """Whether the settings that are folded away must be seen."""
        return any(choice.box.value() or choice.errors for choice in self.choices()[FIRST:])

    def _choice(self, name: str) -> Choice:
        ends = [] if name in trials.AMONG else [self[f"{end}_{name}"] for end in ("low", "high")]
        among = self[f"among_{name}"] if name in trials.AMONG else None
        return Choice(name, TITLES[name], presets.HINTS.get(name, ""), self[f"try_{name}"], ends, among)


def _whole(value: float) -> float:
    """3.0 as 3, as settings that count are checked."""
    return int(value) if value.is_integer() else value


# Where a service's sentence about a range is shown.
PLACES = {f"space.{name}": f"try_{name}" for name in trials.SEARCHABLE}


def asked_in(initial: dict[str, Any]) -> dict[str, Any]:
    """The numbers among what a form is filled in with at first; what cannot be is left to the form to refuse."""
    found: dict[str, Any] = {}
    for name in presets.RANGES:
        try:
            found |= presets.checked({name: _whole(float(initial[name]))})
        except (KeyError, TypeError, ValueError, Invalid):
            continue
    return found


def usual_for(initial: dict[str, Any], *, rows: int, base_model: LanguageModel | None) -> dict[str, dict[str, Any]]:
    """The usual ranges around the run that the form describes at first."""
    preset, method = str(initial.get("preset")), str(initial.get("method"))
    settled = presets.resolve(
        preset_key=preset if preset in {each["key"] for each in presets.PRESETS} else "balanced",
        method=method if method in presets.METHODS else "full",
        requested=asked_in(initial),
        parameters=base_model.parameters if base_model else 1,
        rows=rows,
        context_length=base_model.context_length if base_model else 0,
        seed=0,
    )
    return {name: trials.usual(name, settled) for name in trials.SEARCHABLE}
