"""Versions: asked for, built once, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from datasets_app import recipes, selectors
from datasets_app.models import Dataset, DatasetFile, DatasetVersion, VersionOrigin, VersionState
from datasets_app.models.version import TRANSITIONS
from datasets_app.services.lasting import without_erased
from datasets_app.services.recipes import completed
from gptstudio.accounts.policies import Actor, require, system
from gptstudio.audit.services import record
from gptstudio.core import leases
from gptstudio.core.errors import Conflict, Invalid
from gptstudio.core.queue import enqueue
from gptstudio.review.models import ReviewItem
from gptstudio.review.services import open_item


@transaction.atomic
def create_version(
    actor: Actor,
    *,
    dataset: Dataset,
    recipe: dict[str, Any] | None = None,
    files: Sequence[DatasetFile] | None = None,
    parent: DatasetVersion | None = None,
    origin: str = VersionOrigin.MADE,
) -> DatasetVersion:
    """Ask for a version of `files` (all of the data set's when None) under `recipe`. When None: that of the use case that the
    data set began with, else the default.

    `parent` is the version that it starts from, whose edits it makes again. What it is compared with is that one, or the
    newest ready version. Whatever the origin, what was erased from the data set stays out.
    """
    require(actor, "datasets.edit", workspace_id=dataset.workspace_id)
    body = recipes.checked(recipe if recipe is not None else dataset.aim.get("recipe") or recipes.default_recipe())
    _check_tokenizer(body, workspace_id=dataset.workspace_id)
    chosen = list(files) if files is not None else list(selectors.live_files(dataset))
    if not chosen:
        raise Invalid("This data set has no file yet.", fix="Upload one first.")
    is_new = origin == VersionOrigin.MADE  # the others repeat what an earlier version was made with
    body = completed(dataset, body, chosen, parent=parent) if is_new else without_erased(dataset, body, chosen)
    Dataset.objects.select_for_update().get(id=dataset.id)  # numbers count up without gaps or doubles
    latest = dataset.versions.aggregate(latest=Max("number"))["latest"] or 0
    version = DatasetVersion.objects.create(
        dataset=dataset,
        number=latest + 1,
        recipe=body,
        parent=parent or dataset.versions.filter(state=VersionState.READY).order_by("-number").first(),
        origin=origin,
        created_by_id=actor.user_id,
    )
    version.files.set(chosen)
    audit_version(actor, version, "version.requested", {"files": [file.id for file in chosen], "origin": origin})
    enqueue("datasets.build_version", version.id)
    return version


def _check_tokenizer(body: recipes.Recipe, *, workspace_id: str) -> None:
    """A recipe counts with a model of its own workspace, or with one that is everybody's."""
    model = next((each.get("options", {}).get("model") for each in body["steps"] if each["kind"] == "tokens"), None)
    if model is not None and selectors.tokenizer(workspace_id, str(model)) is None:
        raise Invalid(f"There is no base model {model!r} to count tokens with.", fix="Choose one of the list.")


def audit_version(actor: Actor, version: DatasetVersion, action: str, data: dict[str, Any] | None = None) -> None:
    """The line that tells of an act on a version."""
    record(
        actor,
        workspace_id=version.dataset.workspace_id,
        action=action,
        subject_kind="version",
        subject_id=version.id,
        subject_label=str(version),
        data=data,
    )


@transaction.atomic
def cancel_version(actor: Actor, *, version: DatasetVersion) -> DatasetVersion:
    """Stop a version that is not ready yet. Its files stay."""
    require(actor, "datasets.edit", workspace_id=version.dataset.workspace_id)
    version = DatasetVersion.objects.select_for_update().select_related("dataset").get(id=version.id)
    TRANSITIONS.check(version.state, VersionState.CANCELLED, noun="version")
    version.cancel_requested = True
    if version.state == VersionState.QUEUED:
        version.state, version.finished_at = VersionState.CANCELLED, timezone.now()
    version.save(update_fields=["cancel_requested", "state", "finished_at"])
    audit_version(actor, version, "version.cancel_requested")
    return version


@transaction.atomic
def retry_version(actor: Actor, *, version: DatasetVersion) -> DatasetVersion:
    """Build a failed version again, from the same files and recipe."""
    require(actor, "datasets.edit", workspace_id=version.dataset.workspace_id)
    failed = DatasetVersion.objects.filter(id=version.id, state=VersionState.FAILED)
    if not failed.update(state=VersionState.QUEUED, error={}, progress={}, cancel_requested=False, finished_at=None):
        raise Conflict("Only a version that failed can be built again.", fix="Reload the page to see where it stands.")
    audit_version(actor, version, "version.retried")
    enqueue("datasets.build_version", version.id)
    version.refresh_from_db()
    return version


def claim_version(version_id: str, *, holder: str) -> DatasetVersion | None:
    """Take a version to build it; None when there is nothing to do."""
    waiting = DatasetVersion.objects.filter(id=version_id, state__in=[VersionState.QUEUED, VersionState.BUILDING])
    if not leases.claim(waiting, holder=holder, state=VersionState.BUILDING):
        return None
    return DatasetVersion.objects.select_related("dataset").get(id=version_id)


def note_progress(version: DatasetVersion, *, progress: dict[str, Any]) -> bool:
    """Heartbeat. False when the work should stop: cancelled by a person, or taken over by another worker."""
    return leases.note(DatasetVersion.objects.filter(id=version.id), version, progress=progress)


@transaction.atomic
def finish_version(version: DatasetVersion, *, report: dict[str, Any], digest: str) -> bool:
    """Freeze a built version. A recipe that keeps personal data or looks for no names opens a review item."""
    mine = DatasetVersion.objects.filter(id=version.id)
    done = leases.release(
        mine,
        attempt=version.attempt,
        state=VersionState.READY,
        report=report,
        digest=digest,
        progress={},
        finished_at=timezone.now(),
    )
    if not done:
        return False
    studio = system(version.dataset.workspace_id)
    audit_version(studio, version, "version.ready", {"digest": digest, "rows": report["rows"]["kept"]})
    if selectors.why_seen(version):
        _open_review(studio, version=version, report=report)
    return True


def _open_review(actor: Actor, *, version: DatasetVersion, report: dict[str, Any]) -> ReviewItem:
    uploaders = version.files.values_list("uploaded_by_id", flat=True)
    why = selectors.why_seen(version)
    return open_item(
        actor,
        workspace_id=version.dataset.workspace_id,
        kind="version",
        subject_id=version.id,
        title=f"{version}: its recipe {why}" if why else f"{version}: somebody asks for a second look",
        evidence={"rows": report.get("rows", {}), "personal_data": report.get("personal_data", {})},
        makers=[maker for maker in {*uploaders, version.created_by_id} if maker],
    )


def request_version_review(actor: Actor, *, version: DatasetVersion) -> ReviewItem:
    """Ask for a decision about a version that is ready, whatever its recipe. After a "no" it waits again."""
    require(actor, "datasets.edit", workspace_id=version.dataset.workspace_id)
    if version.state != VersionState.READY:
        raise Conflict(f"{version} has no rows that a reviewer could look at.", fix="Ask once it is ready.")
    return _open_review(actor, version=version, report=version.report)


def fail_version(version: DatasetVersion, *, code: str, message: str, fix: str = "") -> bool:
    """Record why it could not be made; `code="cancelled"` when a person stopped it."""
    state = VersionState.CANCELLED if code == "cancelled" else VersionState.FAILED
    return leases.release(
        DatasetVersion.objects.filter(id=version.id),
        attempt=version.attempt,
        state=state,
        error={"code": code, "message": message, "fix": fix},
        finished_at=timezone.now(),
    )
