"""What a dead worker or a lost message left behind is sent to the queue again."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from datasets_app.models import DatasetFile, DatasetVersion, FileState, PreviewState, RecipePreview, VersionState
from datasets_app.services.files import fail_file
from datasets_app.services.previews import fail_preview
from datasets_app.services.versions import fail_version
from gptstudio.core import leases
from gptstudio.core.queue import enqueue

SETTLING = timedelta(seconds=15)
MOST_ATTEMPTS = 5
GAVE_UP = f"The work was begun {MOST_ATTEMPTS} times and never came to an end."


def _old(queryset: QuerySet[DatasetFile] | QuerySet[DatasetVersion] | QuerySet[RecipePreview]) -> list[str]:
    """Ids that nobody works on, and not merely because their message is still under way."""
    waiting = leases.expired(queryset).filter(created_at__lt=timezone.now() - SETTLING)
    return list(waiting.values_list("id", flat=True)[:100])


def _give_up() -> None:
    """What ends its worker every time would otherwise come back for ever."""
    tried = {"attempt__gte": MOST_ATTEMPTS}
    read_often = DatasetFile.objects.filter(attempt__gte=F("asked_at_attempt") + MOST_ATTEMPTS)
    for file in leases.expired(read_often.filter(state=FileState.UPLOADED)):
        fail_file(file, error=f"{GAVE_UP} Look into the file, and upload it again.")
    for version in leases.expired(DatasetVersion.objects.filter(state=VersionState.BUILDING, **tried)):
        fail_version(version, code="gave_up", message=GAVE_UP, fix="Try smaller files; the server's log says more.")
    for preview in leases.expired(RecipePreview.objects.filter(state=PreviewState.RUNNING, **tried)):
        fail_preview(preview, code="gave_up", message=GAVE_UP, fix="Try with one file; the server's log says more.")


def requeue_stale() -> int:
    """Wake workers for files to read, versions to build and previews to count whose holder is gone. Returns how many."""
    _give_up()
    files = _old(DatasetFile.objects.filter(state=FileState.UPLOADED))
    versions = _old(DatasetVersion.objects.filter(state__in=[VersionState.QUEUED, VersionState.BUILDING]))
    previews = _old(RecipePreview.objects.filter(state__in=[PreviewState.QUEUED, PreviewState.RUNNING]))
    for file_id in files:
        enqueue("datasets.detect_file", file_id)
    for version_id in versions:
        enqueue("datasets.build_version", version_id)
    for preview_id in previews:
        enqueue("datasets.preview_recipe", preview_id)
    return len(files) + len(versions) + len(previews)
