"""Reading models' exports. Whether somebody may have one is asked by whoever hands it out."""

from __future__ import annotations

import json

from django.db.models import QuerySet

from gptstudio.core.errors import NotFound
from training_app.models import ExportForm, LanguageModel, ModelExport

GGUF_ARCHITECTURES = ("llama",)


def exports_of(model: LanguageModel) -> QuerySet[ModelExport]:
    """What of a model was asked for, newest first."""
    return ModelExport.objects.filter(model=model)


def export_of(model: LanguageModel, export_id: str) -> ModelExport:
    """One of a model's exports."""
    found = exports_of(model).filter(id=export_id).first()
    if found is None:
        raise NotFound(f"There is no export {export_id} of this model.")
    return found


def architecture_of(model: LanguageModel) -> str:
    """What `config.json` calls it, an adapter's by its base; empty where there is none to read."""
    folder = model.base.path if model.is_adapter and model.base else model.path
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def forms_of(model: LanguageModel) -> list[ExportForm]:
    """The forms that the model can be had in. A tokenizer may still be refused when the file is made."""
    merged = [ExportForm.MERGED] if model.is_adapter else []
    has_gguf = architecture_of(model) in GGUF_ARCHITECTURES
    return [*merged, *([ExportForm.GGUF_16, ExportForm.GGUF_32] if has_gguf else [])]
