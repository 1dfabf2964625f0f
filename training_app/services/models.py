"""Models: base models registered, fine-tunes registered, release asked for, withdrawn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from datasets_app.services import register_tokenizer
from gptstudio.accounts.policies import Actor, require, system
from gptstudio.accounts.selectors import workspace_by_slug
from gptstudio.audit.services import record
from gptstudio.core import artifacts, leases
from gptstudio.core.errors import Conflict, Invalid, NotFound
from gptstudio.review.models import ReviewItem, ReviewState
from gptstudio.review.selectors import item_about
from gptstudio.review.services import decide, open_item, update_evidence
from training_app import selectors
from training_app.models import Evaluation, FineTuningJob, LanguageModel, ModelKind
from training_app.services.folders import Stored, take_in
from training_app.verdict_wording import verdict_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")  # a fine-tune's name holds it, and 200 characters at most


def _register(
    stored: Stored,
    *,
    name: str,
    title: str,
    workspace_id: str | None,
    licence: str,
    user: str | None,
    embeds: bool = False,
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
        embeds=embeds,
        created_by_id=user,
    )
    register_tokenizer(name=name, workspace_id=workspace_id, digest=stored.digest, context_length=stored.context)
    return model


def ensure_starter() -> LanguageModel:
    """Register the shipped starter model once; when its files changed with an update, register the new ones.

    The row of the old ones is archived and not changed: fine-tunes, adapters above all, stand on its weights.
    """
    mine = LanguageModel.objects.filter(name=settings.STARTER_NAME, workspace_id=None, archived_at__isnull=True)
    found, stored = mine.first(), take_in(Path(settings.STARTER_FOLDER))
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


def checked_name(workspace_id: str, name: str) -> str:
    """A name that a new base model of this workspace may have. Raises Invalid, Conflict."""
    if not NAME.fullmatch(name) or name.startswith("ft:"):
        raise Invalid(f"{name!r} cannot be a model's name.", fix="Use letters, digits, dots, dashes.", param="name")
    if selectors.model_named(workspace_id, name) is not None:
        raise Conflict(f"There is a model {name} already.", fix="Choose another name.")
    return name


def _import_folder(workspace_id: str, path: str) -> Path:
    """A folder below STUDIO_HOME/import. One in a folder that is named after a workspace is that workspace's alone."""
    base = Path(settings.STUDIO_HOME) / "import"
    folder = base / path
    missing = NotFound(f"There is no folder {path!r} under STUDIO_HOME/import.", fix="Copy the model there first.")
    if "\x00" in path or not artifacts.inside(folder, base) or not folder.is_dir():
        raise missing
    first, *rest = folder.resolve().relative_to(base.resolve()).parts or ("",)
    owner = workspace_by_slug(first) if rest else None
    if owner is not None and owner.id != workspace_id:
        raise missing
    return folder


def register_base_model(
    actor: Actor, *, workspace_id: str, name: str, path: str, licence: str = "", embeds: bool = False
) -> LanguageModel:
    """Register a folder below STUDIO_HOME/import as a base model. Safetensors only; code in it is refused.

    `embeds`: /v1/embeddings may ask it, too.
    """
    require(actor, "base_models.register", workspace_id=workspace_id)
    checked_name(workspace_id, name)
    stored = take_in(_import_folder(workspace_id, path))
    return record_base_model(actor, workspace_id=workspace_id, stored=stored, name=name, licence=licence, embeds=embeds)


@transaction.atomic
def record_base_model(
    actor: Actor,
    *,
    workspace_id: str,
    stored: Stored,
    name: str,
    licence: str,
    embeds: bool = False,
    source: dict[str, str] | None = None,
) -> LanguageModel:
    """Give stored weights a name in a workspace. `source` says where they came from, for the audit log."""
    model = _register(
        stored,
        name=name,
        title=name,
        workspace_id=workspace_id,
        licence=licence,
        user=actor.user_id,
        embeds=embeds,
    )
    record(
        actor,
        workspace_id=workspace_id,
        action="base_model.registered",
        subject_kind="model",
        subject_id=model.id,
        subject_label=name,
        data={"digest": model.digest, "parameters": model.parameters, "embeds": embeds, **(source or {})},
    )
    return model


def public_name(job: FineTuningJob) -> str:
    """OpenAI's shape: `ft:<base>:<workspace>:<suffix>:<id>`. Of what went on from a fine-tune, the base is that one's."""
    return f"ft:{job.base_model.root.name}:{job.workspace.slug}:{job.suffix}:{job.id[-8:]}"


def register_fine_tune(job: FineTuningJob, *, folder: Path) -> LanguageModel | None:
    """Keep the model that a run saved. Registering the same job again returns the same model; None when the lease was lost.

    The lease is kept while gigabytes are copied.
    """
    found = LanguageModel.objects.filter(job=job).first()
    if found is not None:
        return found
    mine = FineTuningJob.objects.filter(id=job.id)
    beat = leases.paced(lambda: leases.renew(mine, attempt=job.attempt))
    digest, _path = artifacts.store_folder(folder, on_chunk=beat)
    return _record_fine_tune(job, digest=digest, is_adapter=(folder / "adapter_config.json").exists())


@transaction.atomic
def _record_fine_tune(job: FineTuningJob, *, digest: str, is_adapter: bool) -> LanguageModel | None:
    if not leases.held(FineTuningJob.objects.filter(id=job.id), attempt=job.attempt):
        return None
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
        raise Conflict("This model was not evaluated yet.", fix=_way_to_verdict(model))
    checks = evaluation.safety.get("checks", [])
    if not checks:
        raise Conflict("This model was not checked for safety yet.", fix=_way_to_verdict(model))
    verdict = verdict_of(evaluation.result, rows=evaluation.rows)
    return {
        "verdict": f"{verdict.title} {verdict.detail}",
        "rows": evaluation.rows,
        "intervals": evaluation.result.get("intervals", {}),
        "base": evaluation.base_scores,
        "tuned": evaluation.tuned_scores,
        "safety": {**evaluation.safety, "checks": [_without_texts(check) for check in checks]},
        "digest": model.digest,
    }


def _way_to_verdict(model: LanguageModel) -> str:
    job = model.job
    return (
        f"Go on with its fine-tune, {job.name}." if job and job.can_go_on else "Wait until its fine-tune has finished."
    )


def _without_texts(check: dict[str, Any]) -> dict[str, Any]:
    """Examples may hold training rows. They stand in the report itself, which forgets them when the data is erased."""
    return {key: value for key, value in check.items() if key != "examples"}


def request_release(actor: Actor, *, model: LanguageModel) -> ReviewItem:
    """Ask for a decision about a fine-tune, with its scores and safety report as evidence."""
    if model.kind == ModelKind.BASE or model.workspace_id is None:
        raise Conflict("Base models are released when they are registered.")
    require(actor, "models.request_release", workspace_id=model.workspace_id)
    if model.archived_at is not None:
        raise Conflict("This model was put away, and its weights with it.", fix="Train it again.")
    return open_item(
        actor,
        workspace_id=model.workspace_id,
        kind="model",
        subject_id=model.id,
        title=f"Release {model.title or model.name}",
        evidence=_evidence(model),
        makers=_makers(model),
    )


def refresh_request(model: LanguageModel) -> None:
    """Where a reviewer is asked already, let them see the newest scores and safety report."""
    item = item_about(model.id, kind="model")
    if item is not None:
        update_evidence(item, evidence=_evidence(model))


def withdraw_model(actor: Actor, *, model: LanguageModel, reason: str) -> ReviewItem:
    """Take a released model back; engines stop answering for it within seconds."""
    item = item_about(model.id, kind="model")
    if item is None:
        raise Conflict("This model was never released.")
    decide(actor, item=item, verdict=ReviewState.REJECTED, reason=reason)
    item.refresh_from_db()
    return item
