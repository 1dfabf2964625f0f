"""Models in forms for elsewhere: asked for by a person, made by a worker, kept under a digest, taken, deleted."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core import artifacts, leases, storage
from gptstudio.core.disk import check_room
from gptstudio.core.errors import Conflict, Invalid
from gptstudio.core.queue import enqueue
from training_app.models import ExportForm, ExportState, LanguageModel, ModelExport
from training_app.selectors.exports import GGUF_ARCHITECTURES, architecture_of, forms_of

TASK = "training.export_model"
FOLDER = "exports"
UNDER_WAY = (ExportState.QUEUED, ExportState.RUNNING)
SETTLING, MOST_ATTEMPTS, YOUNG = timedelta(seconds=10), 3, timedelta(minutes=10)
NUMBER_BYTES = {ExportForm.MERGED: 4, ExportForm.GGUF_16: 2, ExportForm.GGUF_32: 4}


def _workspace(actor: Actor, model: LanguageModel) -> str:
    """Whose rules hold: a base model that is everybody's is taken from the workspace that one acts in."""
    return model.workspace_id or actor.workspace_id


def _audit(actor: Actor, export: ModelExport, action: str) -> None:
    record(
        actor,
        workspace_id=actor.workspace_id,
        action=action,
        subject_kind="model",
        subject_id=export.model_id,
        subject_label=export.model.name,
        data={
            "form": export.form,
            "model_digest": export.model.digest,
            **({"digest": export.digest} if export.digest else {}),
        },
    )


def request_export(actor: Actor, *, model: LanguageModel, form: str) -> ModelExport:
    """Have the model made in a form of ExportForm, unless it is there already or on its way. A failed one is tried again."""
    require(actor, "models.download", workspace_id=_workspace(actor, model))
    wanted = _possible(model, form)
    check_room(Path(settings.STUDIO_HOME), model.parameters * NUMBER_BYTES[wanted], what=f"{model.name} in this form")
    with transaction.atomic():
        made, is_new = ModelExport.objects.select_related("model").get_or_create(
            model=model, form=wanted, defaults={"created_by_id": actor.user_id}
        )
        if not is_new:
            if made.state in UNDER_WAY or made.is_kept:
                return made
            made.state, made.error, made.digest, made.attempt = ExportState.QUEUED, {}, "", 0
            made.save(update_fields=["state", "error", "digest", "attempt"])
        _audit(actor, made, "model.export_requested")
        enqueue(TASK, made.id)
    return made


def _possible(model: LanguageModel, form: str) -> ExportForm:
    if form not in ExportForm.values:
        raise Invalid(f"{form!r} is no form.", fix=f"Choose {', '.join(ExportForm.values)}.", param="form")
    wanted = ExportForm(form)
    if not model.is_kept or (model.is_adapter and not (model.base and model.base.is_kept)):
        raise Conflict(f"The folder of {model.name} is no longer kept.", fix="Train it again.")
    if wanted in forms_of(model):
        return wanted
    if wanted == ExportForm.MERGED:
        raise Invalid(
            f"{model.name} is no adapter, so there is nothing to merge.", fix="Download its folder.", param="form"
        )
    raise Invalid(
        f"{model.name} is of the architecture {architecture_of(model) or 'unknown'}, which cannot be written as GGUF here.",
        fix=f"GGUF is made of {', '.join(GGUF_ARCHITECTURES)} models. Download its folder instead.",
        param="form",
    )


def claim_export(export_id: str, *, holder: str) -> ModelExport | None:
    """Take one to make it; None when there is nothing to do."""
    waiting = ModelExport.objects.filter(id=export_id, state__in=UNDER_WAY)
    if not leases.claim(waiting, holder=holder, state=ExportState.RUNNING):
        return None
    return ModelExport.objects.select_related("model__base").get(id=export_id)


def hold_export(held: ModelExport) -> bool:
    """Heartbeat. False when it was deleted, or another worker has taken over."""
    return leases.renew(ModelExport.objects.filter(id=held.id), attempt=held.attempt)


def finish_export(held: ModelExport, *, folder: Path, files: list[dict[str, Any]]) -> bool:
    """Keep what was made: `folder` is moved to its digest, once the bucket has it where there is one. False when the lease
    was lost; then it stays where it is.
    """
    digest = artifacts.digest_of((str(each["name"]), str(each["sha256"])) for each in files)
    storage.keep(f"{FOLDER}/{digest}", folder)
    with transaction.atomic():  # a rename alone: whoever sees the row finds the folder
        mine = ModelExport.objects.filter(id=held.id)
        size, now = sum(int(each["size"]) for each in files), timezone.now()
        ready = {"state": ExportState.READY, "digest": digest, "bytes": size, "finished_at": now}
        if not leases.release(mine, attempt=held.attempt, **ready):
            return False
        artifacts.keep_folder(folder, under=FOLDER, digest=digest)
    return True


def fail_export(held: ModelExport, *, code: str, message: str, fix: str = "") -> bool:
    """Keep the sentence why it could not be made."""
    error = {"code": code, "message": message, "fix": fix}
    mine = ModelExport.objects.filter(id=held.id)
    return leases.release(mine, attempt=held.attempt, state=ExportState.FAILED, error=error, finished_at=timezone.now())


def delete_export(actor: Actor, *, export: ModelExport) -> None:
    """Delete its files; a worker that is making them stops. It can be asked for again."""
    require(actor, "models.download", workspace_id=_workspace(actor, export.model))
    with transaction.atomic():
        _audit(actor, export, "model.export_deleted")
        export.delete()
    if export.digest and not ModelExport.objects.filter(digest=export.digest).exists():
        storage.let_go(export.stored)


def unwanted_exports(digests: Collection[str]) -> set[str]:
    """Those of them that no export has. While one is being made, none: its row tells its digest last."""
    if ModelExport.objects.filter(state=ExportState.RUNNING).exists():
        return set()
    return set(digests) - set(ModelExport.objects.filter(digest__in=digests).values_list("digest", flat=True))


def requeue_stale_exports() -> int:
    """Wake workers for what nobody makes although somebody waits; give up on what ends its worker every time."""
    old = ModelExport.objects.filter(state__in=UNDER_WAY, created_at__lt=timezone.now() - SETTLING)
    stale = list(leases.expired(old).select_related("model")[:100])
    for held in stale:
        if held.attempt >= MOST_ATTEMPTS:
            message = f"Making it was begun {held.attempt} times, and its worker went away each time."
            fail_export(held, code="gave_up", message=message, fix="Look into the worker's log, then ask again.")
        else:
            enqueue(TASK, held.id)
    return len(stale)


def forget_exports() -> None:
    """Delete exports of models that were archived, and files that belong to no row any more."""
    ModelExport.objects.filter(model__archived_at__isnull=False).delete()
    folder = Path(settings.STUDIO_HOME) / FOLDER
    if not folder.is_dir():
        return
    before = time.time() - YOUNG.total_seconds()  # a row that names a younger one may be about to be committed
    found = {path.name for path in folder.iterdir()}
    for digest in found - set(ModelExport.objects.filter(digest__in=found).values_list("digest", flat=True)):
        with contextlib.suppress(FileNotFoundError):  # it was just deleted by whoever deleted the row
            if (folder / digest).stat().st_ctime < before:
                shutil.rmtree(folder / digest, ignore_errors=True)
