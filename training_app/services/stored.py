"""What of runs and models lies on machines and in the bucket although nothing needs it any more, or only on this machine."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from datasets_app.models import VersionState
from gptstudio.core import artifacts, storage
from gptstudio.core.storage import StorageTrouble
from training_app.copies import Copies
from training_app.models import ENDED, WEIGHTS, FineTuningJob, JobState, LanguageModel
from training_app.selectors.space import put_away
from training_app.services.archiving import free_run


def weights_put_away_elsewhere(digests: Collection[str]) -> set[str]:
    """Those of them whose weights no model needs any more, and lie on this machine all the same."""
    return {each for each in put_away(digests) if any(storage.place(f"artifacts/{each}").rglob(f"*{WEIGHTS}"))}


def drop_weights_here(digest: str) -> None:
    """Delete the weights in a folder of this machine's; its small files stay."""
    artifacts.delete(digest, suffix=WEIGHTS)


def drop_weights_put_away() -> None:
    """Have the bucket keep no weights that no model needs: it may have been away when somebody put the model away."""
    if storage.is_set():
        archived = LanguageModel.objects.filter(weights_deleted_at__isnull=False).values_list("digest", flat=True)
        for digest in put_away(set(archived)):
            storage.drop(f"artifacts/{digest}", suffix=WEIGHTS)


def spent_runs(ids: Collection[str]) -> set[str]:
    """Those of these runs that are over and whose weights were freed: they may lie on other machines, and in the bucket."""
    over = FineTuningJob.objects.filter(id__in=ids, state__in=ENDED, checkpoints__isnull=True)
    of_study = Q(study__isnull=False) & ~Q(state=JobState.FAILED)
    found = over.filter(Q(model__isnull=False) | Q(archived_at__isnull=False) | of_study)
    return set(found.values_list("id", flat=True))


def spent_runs_here(ids: Collection[str]) -> set[str]:
    """Those of them whose weights lie on this machine."""
    spent = FineTuningJob.objects.filter(id__in=spent_runs(ids))
    return {job.id for job in spent if any(folder.exists() for folder in job.weights)}


def free_spent_run(job_id: str) -> None:
    """Delete the weights of such a run, here and in the bucket."""
    free_run(FineTuningJob.objects.get(id=job_id))


def keep_runs() -> int:
    """Copy to the bucket what runs left on this machine, where it has nothing of them. Returns how many; StorageTrouble."""
    if not storage.is_set():
        return 0
    there = storage.names("runs")
    runs = FineTuningJob.objects.exclude(version__state=VersionState.ERASED)
    kept = [job for job in runs if job.id not in there and job.folder.is_dir()]
    for job in kept:
        copies = Copies(job)
        copies.finish(checkpoints=job.checkpoints.exists())
        if copies.trouble:
            raise StorageTrouble(copies.trouble)
    return len(kept)
