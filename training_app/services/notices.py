"""That a fine-tune is over is told to whom the workspace chose. What stands in rows and answers is not."""

from __future__ import annotations

from gptstudio.notify.services import tell
from training_app.models import FineTuningJob, JobState, LanguageModel, Study, StudyState

STUDIES = {StudyState.SUCCEEDED: "is done", StudyState.FAILED: "has failed", StudyState.CANCELLED: "was cancelled"}
ENDINGS = {JobState.SUCCEEDED: "has succeeded", JobState.FAILED: "has failed", JobState.CANCELLED: "was cancelled"}


def tell_ended(job_id: str) -> None:
    """Put `job.succeeded`, `job.failed` or `job.cancelled` into the outbox, in the transaction that ended the job. Of the
    runs of a study nobody is told one by one."""
    job = FineTuningJob.objects.select_related("base_model").get(id=job_id)
    if job.study_id is not None:
        return
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


def tell_study_ended(study: Study) -> None:
    """Put `study.ended` into the outbox, in the transaction that ended it."""
    data = {"id": study.id, "kind": study.kind, "state": study.state, "name": study.name}
    title = f"The study {study.name} {STUDIES[StudyState(study.state)]}"
    tell(workspace_id=study.workspace_id, event="study.ended", title=title, data=data)
