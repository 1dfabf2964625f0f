"""Base models from a model hub: asked for by a person, fetched by a worker, registered like a folder."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor, require, system
from gptstudio.audit.services import record
from gptstudio.core import leases
from gptstudio.core.errors import Conflict, Invalid, StudioError
from gptstudio.core.queue import enqueue
from training_app.models import BaseModelImport, ImportState, LanguageModel
from training_app.services.folders import take_in
from training_app.services.models import checked_name, record_base_model

TASK = "training.import_model"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,199}", re.ASCII)
UNDER_WAY = (ImportState.QUEUED, ImportState.DOWNLOADING)
SETTLING, MOST_ATTEMPTS = timedelta(seconds=10), 5


@transaction.atomic
def request_import(
    actor: Actor,
    *,
    workspace_id: str,
    hub_id: str,
    name: str,
    revision: str = "",
    licence: str = "",
    embeds: bool = False,
) -> BaseModelImport:
    """Have a hub's model fetched and registered as `name`. The only thing in the studio that makes it ask a hub."""
    require(actor, "base_models.register", workspace_id=workspace_id)
    if settings.HUB_OFFLINE:
        raise Conflict(
            "HF_HUB_OFFLINE is set, so the studio asks no hub.",
            fix="Copy the model below STUDIO_HOME/import and give its folder.",
        )
    if not HUB_ID.fullmatch(hub_id):
        raise Invalid(f"{hub_id!r} is no model's id.", fix="Copy it from its page: owner/name.", param="hub_id")
    if revision and not REVISION.fullmatch(revision):
        raise Invalid(f"{revision!r} is no revision.", fix="Leave it empty for the newest.", param="revision")
    checked_name(workspace_id, name)
    if BaseModelImport.objects.filter(workspace_id=workspace_id, name=name, state__in=UNDER_WAY).exists():
        raise Conflict(f"A model is being fetched as {name} already.", fix="Wait for it, or choose another name.")
    asked = BaseModelImport.objects.create(
        workspace_id=workspace_id,
        hub_id=hub_id,
        revision=revision or "main",
        name=name,
        licence=licence,
        embeds=embeds,
        created_by_id=actor.user_id,
    )
    _audit(actor, asked, "base_model.import_requested")
    enqueue(TASK, asked.id)
    return asked


def _audit(actor: Actor, asked: BaseModelImport, action: str) -> None:
    record(
        actor,
        workspace_id=asked.workspace_id,
        action=action,
        subject_kind="model_import",
        subject_id=asked.id,
        subject_label=str(asked),
        data={"hub_id": asked.hub_id, "revision": asked.revision},
    )


def claim_import(import_id: str, *, holder: str) -> BaseModelImport | None:
    """Take one to fetch it; None when there is nothing to do."""
    waiting = BaseModelImport.objects.filter(id=import_id, state__in=UNDER_WAY)
    if not leases.claim(waiting, holder=holder, state=ImportState.DOWNLOADING):
        return None
    return BaseModelImport.objects.select_related("workspace").get(id=import_id)


def hold_import(held: BaseModelImport, *, done: int, total: int) -> bool:
    """Heartbeat, with the bytes that are here. False when another worker has taken over."""
    mine = BaseModelImport.objects.filter(id=held.id)
    if not leases.renew(mine, attempt=held.attempt):
        return False
    if total and done != held.progress.get("done"):
        held.progress = {"done": min(done, total), "total": total}
        mine.filter(attempt=held.attempt).update(progress=held.progress)
    return True


def finish_import(held: BaseModelImport, *, commit: str, licence: str) -> LanguageModel | None:
    """Look through what was fetched, store it, register it. None when it is refused or the lease was lost.

    The lease is kept while gigabytes are copied. The fetched copy goes: the store has its own.
    """
    mine = BaseModelImport.objects.filter(id=held.id)
    try:
        checked_name(held.workspace_id, held.name)
        stored = take_in(held.folder, on_chunk=leases.paced(lambda: leases.renew(mine, attempt=held.attempt)))
        with transaction.atomic():
            done = {"state": ImportState.REGISTERED, "commit": commit, "finished_at": timezone.now()}
            if not leases.release(mine, attempt=held.attempt, **done):
                return None
            model = record_base_model(
                replace(system(held.workspace_id), user_id=held.created_by_id),
                workspace_id=held.workspace_id,
                stored=stored,
                name=held.name,
                licence=held.licence or licence[:80],
                embeds=held.embeds,
                source={"hub_id": held.hub_id, "commit": commit},
            )
            mine.update(model=model)
    except StudioError as error:
        fail_import(held, code=error.code, message=error.message, fix=error.fix)
        return None
    shutil.rmtree(held.folder, ignore_errors=True)
    return model


def fail_import(held: BaseModelImport, *, code: str, message: str, fix: str = "") -> bool:
    """Keep the sentence why it could not be had. What was fetched goes."""
    ended = {"state": ImportState.FAILED, "finished_at": timezone.now(), "progress": {}}
    error = {"code": code, "message": message, "fix": fix}
    if not leases.release(BaseModelImport.objects.filter(id=held.id), attempt=held.attempt, error=error, **ended):
        return False
    shutil.rmtree(held.folder, ignore_errors=True)
    return True


def requeue_stale_imports() -> int:
    """Wake workers for what nobody fetches although somebody should; give up on what ends its worker every time."""
    old = BaseModelImport.objects.filter(state__in=UNDER_WAY, created_at__lt=timezone.now() - SETTLING)
    stale = list(leases.expired(old).select_related("workspace")[:100])
    for held in stale:
        if held.attempt >= MOST_ATTEMPTS:
            message = f"Fetching was begun {held.attempt} times, and its worker went away each time."
            fail_import(held, code="gave_up", message=message, fix="Look into the worker's log, then ask again.")
        else:
            enqueue(TASK, held.id)
    return len(stale)
