"""What a dead worker or a lost message left behind is sent to the queue again."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from datasets_app.models import DatasetFile, DatasetVersion, FileState, VersionState
from gptstudio.core import leases
from gptstudio.core.queue import enqueue

SETTLING = timedelta(seconds=15)


def _old(queryset: QuerySet[DatasetFile] | QuerySet[DatasetVersion]) -> list[str]:
    """Ids that nobody works on, and not merely because their message is still under way."""
    waiting = leases.expired(queryset).filter(created_at__lt=timezone.now() - SETTLING)
    return list(waiting.values_list("id", flat=True)[:100])


def requeue_stale() -> int:
    """Wake workers for files to read and versions to build whose holder is gone. Returns how many."""
    files = _old(DatasetFile.objects.filter(state=FileState.UPLOADED))
    versions = _old(DatasetVersion.objects.filter(state__in=[VersionState.QUEUED, VersionState.BUILDING]))
    for file_id in files:
        enqueue("datasets.detect_file", file_id)
    for version_id in versions:
        enqueue("datasets.build_version", version_id)
    return len(files) + len(versions)
