"""That a fine-tune is over is told to whom the workspace chose. What stands in rows and answers is not."""

from __future__ import annotations

from gptstudio.notify.services import tell
from training_app.models import FineTuningJob, JobState, LanguageModel

ENDINGS = {JobState.SUCCEEDED: "has succeeded", JobState.FAILED: "has failed", JobState.CANCELLED: "was cancelled"}


def tell_ended(job_id: str) -> None:
    """Put `job.succeeded`, `job.failed` or `job.cancelled` into the outbox, in the transaction that ended the job."""
    job = FineTuningJob.objects.select_related("base_model").get(id=job_id)
    made = LanguageModel.objects.filter(job_id=job.id).values_list("name", flat=True).first()
    data = {
        "id": job.id,
        "state": job.state,
        "name": job.name,
        "base_model": job.base_model.name,
        "fine_tuned_model": made,
        "error": job.error.get("message"),
    }
    title = f"The fine-tune {job.name} {ENDINGS[JobState(job.state)]}"
    tell(workspace_id=job.workspace_id, event=f"job.{job.state}", title=title, data=data)
