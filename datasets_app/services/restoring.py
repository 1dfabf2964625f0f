"""Going back: an earlier version made again as the newest. Looking at test rows and clear text, which is written down."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from datasets_app.models import DatasetVersion, VersionOrigin, VersionState
from datasets_app.services.versions import audit_version, create_version
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.selectors import events_about
from gptstudio.core.errors import Conflict

OPENED = "version.test_rows_opened"
OPEN_FOR = timedelta(hours=1)


def restore_version(actor: Actor, *, version: DatasetVersion) -> DatasetVersion:
    """Ask for a new version from an earlier one's files and recipe; the same digest will come of it."""
    if version.state != VersionState.READY:
        raise Conflict(f"{version} was never ready, so there is nothing to go back to.", fix="Choose one that is.")
    return create_version(
        actor,
        dataset=version.dataset,
        recipe=version.recipe,
        files=list(version.files.order_by("created_at", "id")),
        parent=version,
        origin=VersionOrigin.RESTORED,
    )


@transaction.atomic
def open_test_rows(actor: Actor, *, version: DatasetVersion) -> None:
    """Note that somebody looks at the exam. Within an hour it is one line, however often they look."""
    workspace_id = version.dataset.workspace_id
    require(actor, "datasets.view", workspace_id=workspace_id)
    since = timezone.now() - OPEN_FOR
    lines = events_about(workspace_id, version.id).filter(action=OPENED, actor_id=actor.id, at__gte=since)
    if lines.exists():
        return
    audit_version(actor, version, OPENED)


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
