"""Work that nobody has begun yet, over all workspaces: for whoever watches the machines."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min
from django.utils import timezone

from datasets_app.models import DatasetFile, DatasetVersion, FileState, VersionState
from gptstudio.core.leases import expired
from training_app.models import FineTuningJob, JobState


def oldest_waiting() -> dict[str, float]:
    """Seconds that the oldest file, version and fine-tune has waited for its first start; 0 where none waits.

    What is sent a second time does not count: when that was is written nowhere.
    """
    waiting = {
        "files": DatasetFile.objects.filter(state=FileState.UPLOADED, archived_at=None, erased_at=None),
        "versions": DatasetVersion.objects.filter(state=VersionState.QUEUED),
        "fine_tunes": FineTuningJob.objects.filter(state=JobState.QUEUED),
    }
    since = {
        work: expired(rows.filter(attempt=0)).aggregate(at=Min("created_at"))["at"] for work, rows in waiting.items()
    }
    return {work: _seconds(at) for work, at in since.items()}


def _seconds(since: datetime | None) -> float:
    return (timezone.now() - since).total_seconds() if since else 0.0
