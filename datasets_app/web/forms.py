"""Forms of data sets: upload, and the recipe of a version in the words of people."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from datasets_app import recipes
from datasets_app.models import DatasetFile, Tokenizer
from gptstudio.web.forms import StudioForm

SPLITS = {"80-10-10": (0.8, 0.1, 0.1), "70-15-15": (0.7, 0.15, 0.15)}
PERSONAL = (
    ("all", "Hide it everywhere"),
    ("user", "Hide it in the customer's turns, keep the agent's"),
    ("keep", "Keep it: a reviewer must allow this version"),
)
POLICIES = (
    ("drop", "Leave the row out"),
    ("truncate", "Cut its oldest turns, never the answer"),
    ("refuse", "Stop, and say which rows"),
)


class ManyFiles(forms.ClearableFileInput):
    """An input that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """All files of the input, in the order they were chosen."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, list | tuple) else [data] if data else []
        if not files and self.required:
            raise forms.ValidationError("Choose at least one file.", code="required")
        return list(files)


class UploadForm(StudioForm):
    """Files for a data set that stands."""

    files = FilesField(label="Files")  # type: ignore[assignment]


class DatasetForm(UploadForm):
    """A new data set, with its first files."""

    name = forms.CharField(label="Name", max_length=120, help_text="What is in it, such as “support-2026-10”.")
    field_order = ["name", "files"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["files"].required = False


class RecipeForm(StudioForm):
    """How files become a version. Every field has the preset's value until somebody changes it."""

    preset = forms.ChoiceField(label="Recipe", widget=forms.RadioSelect)
    files = forms.MultipleChoiceField(label="Files", widget=forms.CheckboxSelectMultiple)  # type: ignore[assignment]
    split = forms.ChoiceField(label="Split", required=False, widget=forms.RadioSelect)
    base_model = forms.ChoiceField(
        label="Base model",
        required=False,
        help_text="Rows are measured with the tokenizer of the model you will train.",
    )
    limit = forms.IntegerField(label="Longest row, in tokens", min_value=16, max_value=32768, required=False)
    policy = forms.ChoiceField(label="Longer rows", choices=POLICIES, required=False)
    personal = forms.ChoiceField(label="Personal data", choices=PERSONAL, required=False)
    normalize = forms.BooleanField(label=recipes.STEP_HINTS["normalize"][0], required=False)
    exact_duplicates = forms.BooleanField(label=recipes.STEP_HINTS["exact_duplicates"][0], required=False)
    near_duplicates = forms.BooleanField(label=recipes.STEP_HINTS["near_duplicates"][0], required=False)
    system_prompt = forms.CharField(
        label="Instructions for the model",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Put before every conversation that has none of its own.",
    )
    column_prompt = forms.ChoiceField(label="Question", required=False)
    column_completion = forms.ChoiceField(label="Answer", required=False)
    column_label = forms.ChoiceField(label="Label", required=False)
    column_group = forms.ChoiceField(
        label="Belongs together by", required=False, help_text="Rows with the same value stay in one split."
    )

    def __init__(
        self, *args: Any, dataset_files: Sequence[DatasetFile], tokenizers: Iterable[Tokenizer], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.dataset_files = dataset_files
        self._choices("preset", [(each["key"], each["title"]) for each in recipes.PRESETS])
        self._choices("files", [(file.id, file.name) for file in dataset_files])
        self._choices("split", [("", "As the recipe says"), *[(key, key.replace("-", " – ")) for key in SPLITS]])
        self._choices("base_model", [(each.name, each.name) for each in tokenizers])
        columns = list(dict.fromkeys(name for file in dataset_files for name in file.detection.get("columns", [])))
        for part in ("prompt", "completion", "label", "group"):
            self._choices(f"column_{part}", [("", "Found by itself"), *[(name, name) for name in columns]])

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - the fields above
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        prompt, completion = cleaned.get("column_prompt"), cleaned.get("column_completion")
        label = cleaned.get("column_label")
        if bool(prompt) != bool(completion) and not (prompt and label):
            self.add_error("column_completion", "Name both a question and an answer (or a label), or neither.")
        return cleaned

    def recipe(self) -> recipes.Recipe:
        """The recipe that the form describes."""
        chosen = self.cleaned_data
        body = copy.deepcopy(next(each for each in recipes.PRESETS if each["key"] == chosen["preset"])["recipe"])
        if chosen["split"]:
            shares = dict(zip(("train", "validation", "test"), SPLITS[chosen["split"]], strict=True))
            recipes.step(body, "split")["options"].update(shares)
        self._switch(body, chosen)
        tokens = recipes.step(body, "tokens")["options"]
        for key, name in (("model", "base_model"), ("limit", "limit"), ("policy", "policy")):
            if chosen[name]:
                tokens[key] = chosen[name]
        body["system_prompt"] = chosen["system_prompt"].strip()
        body["mapping"] = self._mapping(chosen)
        return body

    def _switch(self, body: recipes.Recipe, chosen: dict[str, Any]) -> None:
        switches = {name: chosen[name] for name in ("normalize", "exact_duplicates", "near_duplicates")}
        switches["personal_data"] = chosen["personal"] != "keep"
        for each in body["steps"]:
            each["enabled"] = switches.get(each["kind"], each["enabled"])
        if chosen["personal"] in ("all", "user"):
            recipes.step(body, "personal_data")["options"]["turns"] = chosen["personal"]

    def _mapping(self, chosen: dict[str, Any]) -> dict[str, Any] | None:
        found: dict[str, Any] = {
            part: chosen[f"column_{part}"] for part in ("prompt", "completion", "label") if chosen[f"column_{part}"]
        }
        if chosen["column_group"]:
            found["group"] = [chosen["column_group"]]
        return found or None


def usual(files: Sequence[DatasetFile], *, model: str) -> dict[str, Any]:
    """What the recipe form starts with."""
    return {
        "preset": recipes.PRESETS[0]["key"],
        "files": [file.id for file in files],
        "split": "",
        "base_model": model,
        "limit": 512,
        "policy": "drop",
        "personal": "all",
        "normalize": True,
        "exact_duplicates": True,
        "near_duplicates": True,
    }
