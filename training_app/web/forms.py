"""Forms of fine-tunes and models: a preset first, every setting in the drawer behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings

from datasets_app.models import DatasetVersion
from gptstudio.web.forms import StudioForm
from training_app import presets
from training_app.models import LanguageModel, ModelKind
from training_app.wording import in_words

METHODS = (("full", "All weights"), ("lora", "LoRA"), ("qlora", "QLoRA"))
PRESET_TITLES = {str(each["key"]): str(each["title"]) for each in presets.PRESETS}
METHOD_HINTS = {
    "full": "Every weight learns. Best for small models.",
    "lora": "A small addition learns: quicker, and the base model stays shared.",
    "qlora": "As LoRA, with the base model in 4 bits. For large models on a GPU.",
}
AS_PRESET = ("", "As the preset says")
TITLES = {
    "learning_rate": "Learning rate",
    "batch_size": "Batch size",
    "gradient_accumulation_steps": "Batches a step",
    "n_epochs": "Passes over the data",
    "max_steps": "Steps, instead of passes",
    "optimizer": "Optimiser",
    "scheduler": "Learning rate falls",
    "warmup_ratio": "Warm-up share",
    "weight_decay": "Weight decay",
    "max_grad_norm": "Longest step (clipping)",
    "label_smoothing": "Label smoothing",
    "max_length": "Longest row, in tokens",
    "early_stopping_metric": "Early stopping looks at",
    "early_stopping_patience": "Patience",
    "early_stopping_min_delta": "Least gain",
    "eval_steps": "Steps between validations",
    "save_steps": "Steps between checkpoints",
    "precision": "Precision",
    "gradient_checkpointing": "Gradient checkpointing",
    "objective": "Learns from",
    "dpo_beta": "DPO beta",
    "seed": "Seed",
    "lora_rank": "LoRA rank",
    "lora_alpha": "LoRA alpha",
    "lora_dropout": "LoRA dropout",
    "lora_targets": "LoRA layers",
}


def _setting(name: str) -> forms.Field:
    hint = presets.HINTS.get(name, "")
    if name in presets.CHOICES:
        choices = [AS_PRESET, *[(value, in_words(value)) for value in presets.CHOICES[name]]]
        return forms.ChoiceField(label=TITLES[name], choices=choices, required=False, help_text=hint)
    low, high, whole = presets.RANGES[name]
    kind = forms.IntegerField if whole else forms.FloatField
    bounds: dict[str, Any] = (
        {"min_value": int(low), "max_value": int(high)} if whole else {"min_value": low, "max_value": high}
    )
    field = kind(label=TITLES[name], required=False, help_text=hint, **bounds)
    if not whole:
        field.widget.attrs["step"] = "any"
    return field


class JobForm(StudioForm):
    """What to train, on what, how."""

    version = forms.ChoiceField(label="Data")
    base_model = forms.ChoiceField(
        label="Start from",
        help_text="A base model, or a fine-tune that is to learn more, such as from pairs of answers.",
    )
    preset = forms.ChoiceField(
        label="How thoroughly",
        choices=list(PRESET_TITLES.items()),
        widget=forms.RadioSelect,
    )
    method = forms.ChoiceField(label="What learns", choices=METHODS, widget=forms.RadioSelect)
    name = forms.CharField(
        label="Name", max_length=120, required=False, help_text="Such as “Refund replies, second try”."
    )
    suffix = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        label="In the model's name",
        required=False,
        help_text="Letters, digits, dots and dashes. Programs see it in ft:…",
        error_messages={"invalid": "Use up to 64 letters, digits, dots and dashes."},
    )

    class_weights = forms.BooleanField(
        label="Weigh small classes more",
        required=False,
        help_text="Each class counts the same, however few rows it has. The recipe of this data worked the weights out.",
    )

    def __init__(
        self, *args: Any, versions: Iterable[DatasetVersion], base_models: Iterable[LanguageModel], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.versions = {each.id: each for each in versions}
        self.base_models = {each.id: each for each in base_models}
        self._choices("version", [(each.id, self._version_title(each)) for each in self.versions.values()])
        if settings.TRAINING_DEVICE == "cpu":
            self._choices("method", [each for each in METHODS if each[0] != "qlora"])
        self._choices("base_model", self._starts())
        for name in TITLES:
            self.fields[name] = _setting(name)
        if settings.TRAINING_DEVICE == "cpu":
            for name, values in presets.GPU_ALONE.items():
                kept = [each for each in presets.CHOICES[name] if each not in values]
                self._choices(name, [AS_PRESET, *[(each, in_words(each)) for each in kept]])

    def _starts(self) -> list[Any]:
        """Base models, and below them the workspace's fine-tunes in a group of their own."""
        base = [each for each in self.base_models.values() if each.kind == ModelKind.BASE]
        tuned = [(each.id, str(each)) for each in self.base_models.values() if each.kind == ModelKind.FINE_TUNE]
        sized = [(each.id, f"{each.name}, {each.parameters / 1e6:,.3g} M") for each in base]
        return [("Base models", sized), ("Your fine-tunes", tuned)] if tuned else sized

    def _choices(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - the fields above
        field.choices = choices

    @staticmethod
    def _version_title(version: DatasetVersion) -> str:
        rows = version.report.get("splits", {}).get("train", 0)
        return f"{version}, {rows:,} training rows"

    @property
    def chosen_version(self) -> DatasetVersion:
        """The data of a valid form."""
        return self.versions[self.cleaned_data["version"]]

    @property
    def chosen_base_model(self) -> LanguageModel:
        """The base model of a valid form."""
        return self.base_models[self.cleaned_data["base_model"]]

    def settings(self) -> dict[str, Any]:
        """The hyperparameters that somebody filled in."""
        found = {name: value for name in TITLES if (value := self.cleaned_data.get(name)) not in (None, "")}
        return {**found, "class_weights": True} if self.cleaned_data["class_weights"] else found

    def drawer(self) -> list[forms.BoundField]:
        """The fields of the drawer."""
        return [self[name] for name in TITLES]

    def has_drawer_errors(self) -> bool:
        """Whether the drawer must stand open."""
        return any(name in self.errors for name in TITLES)


class BaseModelForm(StudioForm):
    """A base model: a folder that somebody has copied below STUDIO_HOME/import, or a hub's id for it to be fetched."""

    path = forms.CharField(
        label="Folder", max_length=200, required=False, help_text="Below STUDIO_HOME/import, such as SmolLM2-135M."
    )
    hub_id = forms.CharField(
        label="Or from the hub", max_length=200, required=False, help_text="Its id, owner/name. The studio fetches it."
    )
    revision = forms.CharField(
        label="Revision", max_length=200, required=False, help_text="For the hub alone. Empty: the newest."
    )
    name = forms.CharField(label="Name", max_length=80, help_text="What programs and people call it.")
    licence = forms.CharField(
        label="Licence", max_length=80, required=False, help_text="Empty: what the hub says of it."
    )
    embeds = forms.BooleanField(
        label="Also for embeddings", required=False, help_text="Programs may ask it for vectors of texts."
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("path")) == bool(given.get("hub_id")):
            self.add_error("path", "Give a folder, or the id of a model on the hub: one of the two.")
        return given


class ReasonForm(StudioForm):
    """Why something is decided."""

    reason = forms.CharField(
        label="Reason", max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), help_text="It is kept in the record."
    )
