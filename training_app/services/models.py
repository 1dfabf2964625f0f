"""Models: base models registered, fine-tunes registered, release asked for, withdrawn."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from datasets_app.services import register_tokenizer
from gptstudio.accounts.policies import Actor, require, system
from gptstudio.audit.services import record
from gptstudio.core import artifacts
from gptstudio.core.errors import Conflict, Invalid, NotFound
from gptstudio.review.models import ReviewItem, ReviewState
from gptstudio.review.selectors import item_about
from gptstudio.review.services import decide, open_item
from training_app import selectors
from training_app.models import Evaluation, FineTuningJob, LanguageModel, ModelKind

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")  # a fine-tune's name holds it, and 200 characters at most
FORBIDDEN = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.pickle", "*.ckpt", "*.py")


@dataclass(frozen=True, slots=True)
class Stored:
    """A model folder that was checked and lies in the store; `context` in tokens."""

    digest: str
    parameters: int
    context: int


def _config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise Invalid(f"{folder.name} has no readable config.json.", fix="Use a whole transformers folder.") from error
    if not isinstance(found, dict):
        raise Invalid(f"{folder.name}/config.json is not an object.", fix="Use a whole transformers folder.")
    return found


def _elements(header: dict[str, Any], *, size: int) -> int:
    """Elements of all tensors of one file. ValueError when its `size` bytes of data are not what the header says."""
    tensors = [tensor for name, tensor in header.items() if name != "__metadata__"]
    if max((tensor["data_offsets"][1] for tensor in tensors), default=0) != size:
        raise ValueError("cut short")
    return sum(math.prod(tensor["shape"]) for tensor in tensors)


def _parameters(folder: Path) -> int:
    """Parameters of all safetensors files, read from their headers (8 bytes of length, then JSON)."""
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length < 100_000_000:
                raise Invalid(f"{path.name} is not a safetensors file.", fix="Save the model again as safetensors.")
            try:
                header = json.loads(file.read(length))
                total += _elements(header, size=path.stat().st_size - 8 - length)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Invalid(f"{path.name} is damaged.", fix="Copy the model folder again.") from error
    if total == 0:
        raise Invalid(f"{folder.name} holds no safetensors weights.", fix="Save the model as safetensors first.")
    return total


def _check_folder(folder: Path) -> None:
    for pattern in FORBIDDEN:
        if found := next(folder.glob(pattern), None):
            raise Invalid(
                f"{folder.name} holds {found.name}: pickled weights and code are refused.",
                fix="Keep the safetensors, tokenizer and configuration files only.",
            )
    if not (folder / "tokenizer.json").exists():
        raise Invalid(f"{folder.name} has no tokenizer.json.", fix="Save the tokenizer into the same folder.")


def _context(config: dict[str, Any]) -> int:
    found = config.get("max_position_embeddings") or config.get("n_positions") or 512
    if not isinstance(found, int) or not 0 < found < 2**31:
        raise Invalid(f"config.json gives the context length as {found!r}.", fix="Use a whole transformers folder.")
    return found


def _stored(folder: Path) -> Stored:
    """Check a folder and copy it. The copy may take minutes, so no transaction may be open around it."""
    _check_folder(folder)
    context, parameters = _context(_config(folder)), _parameters(folder)
    digest, _path = artifacts.store_folder(folder)
    return Stored(digest, parameters, context)


def _register(
    stored: Stored, *, name: str, title: str, workspace_id: str | None, licence: str, user: str | None
) -> LanguageModel:
    model = LanguageModel.objects.create(
        workspace_id=workspace_id,
        name=name,
        title=title,
        kind=ModelKind.BASE,
        digest=stored.digest,
        parameters=stored.parameters,
        context_length=stored.context,
        licence=licence,
        created_by_id=user,
    )
    register_tokenizer(name=name, workspace_id=workspace_id, digest=stored.digest, context_length=stored.context)
    return model


def ensure_starter() -> LanguageModel:
    """Register the shipped starter model once; when its files changed with an update, register the new ones.

    The row of the old ones is archived and not changed: fine-tunes, adapters above all, stand on its weights.
    """
    mine = LanguageModel.objects.filter(name=settings.STARTER_NAME, workspace_id=None, archived_at__isnull=True)
    found, stored = mine.first(), _stored(Path(settings.STARTER_FOLDER))
    if found is not None and stored.digest == found.digest:
        return found
    with transaction.atomic():
        mine.update(archived_at=timezone.now())
        return _register(
            stored,
            name=settings.STARTER_NAME,
            title="Starter",
            workspace_id=None,
            licence="Same as the studio",
            user=None,
        )


def register_base_model(actor: Actor, *, workspace_id: str, name: str, path: str, licence: str = "") -> LanguageModel:
    """Register a folder below STUDIO_HOME/import as a base model. Safetensors only; code in it is refused."""
    require(actor, "base_models.register", workspace_id=workspace_id)
    if not NAME.fullmatch(name) or name.startswith("ft:"):
        raise Invalid(f"{name!r} cannot be a model's name.", fix="Use letters, digits, dots, dashes.", param="name")
    if selectors.model_named(workspace_id, name) is not None:
        raise Conflict(f"There is a model {name} already.", fix="Choose another name.")
    base = Path(settings.STUDIO_HOME) / "import"
    folder = base / path
    if "\x00" in path or not artifacts.inside(folder, base) or not folder.is_dir():
        raise NotFound(f"There is no folder {path!r} under STUDIO_HOME/import.", fix="Copy the model there first.")
    stored = _stored(folder)
    with transaction.atomic():
        model = _register(stored, name=name, title=name, workspace_id=workspace_id, licence=licence, user=actor.user_id)
        record(
            actor,
            workspace_id=workspace_id,
            action="base_model.registered",
            subject_kind="model",
            subject_id=model.id,
            subject_label=name,
            data={"digest": model.digest, "parameters": model.parameters},
        )
    return model


def public_name(job: FineTuningJob) -> str:
    """OpenAI's shape: `ft:<base>:<workspace>:<suffix>:<id>`."""
    return f"ft:{job.base_model.name}:{job.workspace.slug}:{job.suffix}:{job.id[-8:]}"


def register_fine_tune(job: FineTuningJob, *, folder: Path) -> LanguageModel:
    """Keep the model that a run saved. Registering the same job again returns the same model."""
    found = LanguageModel.objects.filter(job=job).first()
    if found is not None:
        return found
    digest, _path = artifacts.store_folder(folder)
    return _record_fine_tune(job, digest=digest, is_adapter=(folder / "adapter_config.json").exists())


@transaction.atomic
def _record_fine_tune(job: FineTuningJob, *, digest: str, is_adapter: bool) -> LanguageModel:
    base = job.base_model
    model = LanguageModel.objects.create(
        workspace_id=job.workspace_id,
        name=public_name(job),
        title=job.name,
        kind=ModelKind.FINE_TUNE,
        base=base,
        job=job,
        is_adapter=is_adapter,
        digest=digest,
        parameters=base.parameters,
        context_length=base.context_length,
        licence=base.licence,
        created_by_id=job.created_by_id,
    )
    record(
        system(job.workspace_id),
        workspace_id=job.workspace_id,
        action="model.made",
        subject_kind="model",
        subject_id=model.id,
        subject_label=model.name,
        data={"digest": digest, "job": job.id},
    )
    return model


def _makers(model: LanguageModel) -> list[str]:
    job = model.job
    makers = {model.created_by_id, job.created_by_id if job else None}
    if job is not None and job.version is not None:
        makers.add(job.version.created_by_id)
        makers.update(job.version.files.values_list("uploaded_by_id", flat=True))
    return sorted(maker for maker in makers if maker)


def _evidence(model: LanguageModel) -> dict[str, Any]:
    evaluation = Evaluation.objects.filter(model=model).first()
    if evaluation is None:
        raise Conflict("This model was not evaluated yet.", fix="Wait until its fine-tune has finished.")
    return {
        "rows": evaluation.rows,
        "base": evaluation.base_scores,
        "tuned": evaluation.tuned_scores,
        "safety": evaluation.safety,
        "digest": model.digest,
    }


def request_release(actor: Actor, *, model: LanguageModel) -> ReviewItem:
    """Ask for a decision about a fine-tune, with its scores and safety report as evidence."""
    if model.kind == ModelKind.BASE or model.workspace_id is None:
        raise Conflict("Base models are released when they are registered.")
    require(actor, "models.request_release", workspace_id=model.workspace_id)
    return open_item(
        actor,
        workspace_id=model.workspace_id,
        kind="model",
        subject_id=model.id,
        title=f"Release {model.title or model.name}",
        evidence=_evidence(model),
        makers=_makers(model),
    )


def withdraw_model(actor: Actor, *, model: LanguageModel, reason: str) -> ReviewItem:
    """Take a released model back; engines stop answering for it within seconds."""
    item = item_about(model.id, kind="model")
    if item is None:
        raise Conflict("This model was never released.")
    decide(actor, item=item, verdict=ReviewState.REJECTED, reason=reason)
    item.refresh_from_db()
    return item
