"""Going back: an earlier version made again as the newest. Looking at test rows, clear text and the first rows of an
upload, which is written down.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from datasets_app.models import DatasetFile, DatasetVersion, VersionOrigin, VersionState
from datasets_app.services.versions import audit_version, create_version
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.selectors import events_about
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict

OPENED = "version.test_rows_opened"
FIRST_ROWS = "file.rows_shown"
OPEN_FOR = timedelta(hours=1)


def restore_version(actor: Actor, *, version: DatasetVersion) -> DatasetVersion:
    """Ask for a new version from an earlier one's files and recipe, its edits too. The same digest will come of it, unless
    something was erased since: that stays out.
    """
    if version.state != VersionState.READY:
        raise Conflict(f"{version} was never ready, so there is nothing to go back to.", fix="Choose one that is.")
    files = [file for file in version.files.order_by("created_at", "id") if file.erased_at is None]
    if not files:
        raise Conflict(f"The files of {version} are no longer kept.", fix="Make a version of other files.")
    return create_version(
        actor,
        dataset=version.dataset,
        recipe=version.recipe,
        files=files,
        parent=version,
        origin=VersionOrigin.RESTORED,
    )


@transaction.atomic
def open_test_rows(actor: Actor, *, version: DatasetVersion) -> None:
    """Note that somebody looks at the exam. Within an hour it is one line, however often they look."""
    workspace_id = version.dataset.workspace_id
    require(actor, "datasets.view", workspace_id=workspace_id)
    if not _noted_lately(actor, workspace_id, version.id, OPENED):
        audit_version(actor, version, OPENED)


@transaction.atomic
def note_first_rows(actor: Actor, *, file: DatasetFile) -> None:
    """Note that somebody looks at the first rows of an upload as they came. Within an hour it is one line."""
    workspace_id = file.dataset.workspace_id
    require(actor, "datasets.view", workspace_id=workspace_id)
    if not _noted_lately(actor, workspace_id, file.id, FIRST_ROWS):
        record(
            actor,
            workspace_id=workspace_id,
            action=FIRST_ROWS,
            subject_kind="file",
            subject_id=file.id,
            subject_label=file.name,
        )


def _noted_lately(actor: Actor, workspace_id: str, subject_id: str, action: str) -> bool:
    since = timezone.now() - OPEN_FOR
    return events_about(workspace_id, subject_id).filter(action=action, actor_id=actor.id, at__gte=since).exists()


@transaction.atomic
def note_file_download(actor: Actor, *, file: DatasetFile) -> None:
    """Note who took an upload out of the studio as it came. A line each time."""
    workspace_id = file.dataset.workspace_id
    require(actor, "datasets.view", workspace_id=workspace_id)
    record(
        actor,
        workspace_id=workspace_id,
        action="file.downloaded",
        subject_kind="file",
        subject_id=file.id,
        subject_label=file.name,
    )


@transaction.atomic
def note_clear_text(actor: Actor, *, version: DatasetVersion, file: str, row: int) -> None:
    """Note that somebody looks at a record as it came, with what the version hides of it. A line each time."""
    require(actor, "datasets.view", workspace_id=version.dataset.workspace_id)
    audit_version(actor, version, "version.clear_text_shown", {"file": file, "row": row})


@transaction.atomic
def note_download(actor: Actor, *, version: DatasetVersion, splits: list[str], form: str) -> None:
    """Note who took which rows out of the studio, and as what."""
    require(actor, "datasets.view", workspace_id=version.dataset.workspace_id)
    audit_version(actor, version, "version.downloaded", {"splits": splits, "format": form})
