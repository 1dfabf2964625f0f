"""Forms of deployments: a name, and a share for each released model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from gptstudio.web.forms import StudioForm
from training_app.models import LanguageModel


class SharesForm(StudioForm):
    """One whole number a model; shares are relative, empty or 0 leaves the model out."""

    note = forms.CharField(label="Why", max_length=200, required=False, help_text="Kept with the revision.")

    def __init__(
        self, *args: Any, models: Sequence[LanguageModel], shares: dict[str, int] | None = None, **kwargs: Any
    ):
        super().__init__(*args, **kwargs)
        self.models = models
        for model in models:
            start = (shares or {}).get(model.id)
            field = forms.IntegerField(label=str(model), min_value=0, max_value=1000, required=False, initial=start)
            field.help_text = model.name
            self.fields[f"share_{model.id}"] = field

    def share_fields(self) -> list[forms.BoundField]:
        """The shares, one field a model."""
        return [self[f"share_{model.id}"] for model in self.models]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not self._chosen(cleaned):
            raise forms.ValidationError("No model has a share. Give at least one of them a number, such as 100.")
        return cleaned

    def _chosen(self, cleaned: dict[str, Any]) -> list[dict[str, Any]]:
        found = [(model.id, cleaned.get(f"share_{model.id}") or 0) for model in self.models]
        return [{"model": model, "weight": share} for model, share in found if share]

    def targets(self) -> list[dict[str, Any]]:
        """What the services take."""
        return self._chosen(self.cleaned_data)


class DeploymentForm(SharesForm):
    """A new deployment."""

    name = forms.CharField(
        label="Name", max_length=60, help_text="What programs call: small letters, digits and dashes, such as support."
    )
