"""Models leave the studio, as their folder or in a form for elsewhere, and the log says who took them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict
from gptstudio.core.zipping import PIECE, zipped
from training_app.models import ExportForm, LanguageModel, ModelExport, ModelKind
from training_app.services.cards import CARD, card_of

ZIP, FILE = "application/zip", "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Package:
    """What is handed out: its name as a file, its bytes piece by piece, their type, and their number where it is known."""

    name: str
    pieces: Iterator[bytes]
    kind: str = ZIP
    size: int | None = None


def take_model(actor: Actor, *, model: LanguageModel) -> Package:
    """The model's folder as a zip, named by the model, a fine-tune's card beside it. An adapter comes without its base model."""
    require(actor, "models.download", workspace_id=model.workspace_id or actor.workspace_id)
    if not model.is_kept:
        raise Conflict(f"The folder of {model.name} is no longer kept.", fix="Train it again.")
    _taken(actor, model, {"digest": model.digest})
    return Package(f"{model.id}.zip", zipped(model.path, name=model.id, beside=_beside(model)))


def take_export(actor: Actor, *, export: ModelExport) -> Package:
    """A merged model's folder as a zip, or a GGUF file, named by the model."""
    model = export.model
    require(actor, "models.download", workspace_id=model.workspace_id or actor.workspace_id)
    if not export.is_kept:
        raise Conflict(f"{export} is not there.", fix="Ask for it, and wait until it is ready.")
    _taken(actor, model, {"digest": model.digest, "form": export.form, "export_digest": export.digest})
    if export.form == ExportForm.MERGED:
        name = f"{model.id}-merged"
        return Package(f"{name}.zip", zipped(export.folder, name=name, beside=_beside(model)))
    (path,) = export.folder.iterdir()
    return Package(path.name.replace("model", model.id, 1), _pieces(path), FILE, path.stat().st_size)


def _beside(model: LanguageModel) -> dict[str, bytes]:
    """What a fine-tune came to: known only after its folder, and with it its digest, is fixed."""
    return {CARD: card_of(model).encode()} if model.kind == ModelKind.FINE_TUNE else {}


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


@transaction.atomic
def _taken(actor: Actor, model: LanguageModel, data: dict[str, str]) -> None:
    record(
        actor,
        workspace_id=actor.workspace_id,
        action="model.downloaded",
        subject_kind="model",
        subject_id=model.id,
        subject_label=model.name,
        data=data,
    )
