"""What a dead worker or a lost message left behind is sent to the queue again."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from datasets_app.models import DatasetFile, DatasetVersion, FileState, VersionState
from datasets_app.services.files import fail_file
from datasets_app.services.versions import fail_version
from gptstudio.core import leases
from gptstudio.core.queue import enqueue

SETTLING = timedelta(seconds=15)
MOST_ATTEMPTS = 5
GAVE_UP = f"The work was begun {MOST_ATTEMPTS} times and never came to an end."


def _old(queryset: QuerySet[DatasetFile] | QuerySet[DatasetVersion]) -> list[str]:
    """Ids that nobody works on, and not merely because their message is still under way."""
    waiting = leases.expired(queryset).filter(created_at__lt=timezone.now() - SETTLING)
    return list(waiting.values_list("id", flat=True)[:100])


def _give_up() -> None:
    """What ends its worker every time would otherwise come back for ever."""
    tried = {"attempt__gte": MOST_ATTEMPTS}
    for file in leases.expired(DatasetFile.objects.filter(state=FileState.UPLOADED, **tried)):
        fail_file(file, error=f"{GAVE_UP} Look into the file, and upload it again.")
    for version in leases.expired(DatasetVersion.objects.filter(state=VersionState.BUILDING, **tried)):
        fail_version(version, code="gave_up", message=GAVE_UP, fix="Try smaller files; the server's log says more.")


def requeue_stale() -> int:
    """Wake workers for files to read and versions to build whose holder is gone. Returns how many."""
    _give_up()
    files = _old(DatasetFile.objects.filter(state=FileState.UPLOADED))
    versions = _old(DatasetVersion.objects.filter(state__in=[VersionState.QUEUED, VersionState.BUILDING]))
    for file_id in files:
        enqueue("datasets.detect_file", file_id)
    for version_id in versions:
        enqueue("datasets.build_version", version_id)
    return len(files) + len(versions)
