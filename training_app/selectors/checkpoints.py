"""Which checkpoint a fine-tune's model was made of: the only one that is left, and that programs may ask by its name."""

from __future__ import annotations

import re

from training_app.models import Checkpoint, FineTuningJob, LanguageModel, MetricPoint

NAME = re.compile(r"(?P<model>.+):ckpt-step-(?P<step>\d{1,9})")


def checkpoint_name(model: str, step: int) -> str:
    """What programs call the checkpoint of a step, as OpenAI writes it."""
    return f"{model}:ckpt-step-{step}"


def names_checkpoint(name: str) -> bool:
    """Whether a name has that shape."""
    return NAME.fullmatch(name) is not None


def kept_checkpoint(job: FineTuningJob, model: LanguageModel) -> Checkpoint | None:
    """The checkpoint that the job's model was made of, which has no row any more. None: it is not known which."""
    step = job.kept_step
    if step is None:
        return None
    point = MetricPoint.objects.filter(job=job, step=step).first()
    return Checkpoint(
        id=f"ftckpt_{job.id.removeprefix('ftjob-')}",
        job=job,
        step=step,
        validation_loss=point.validation_loss if point else None,
        created_at=model.created_at,
    )


def model_of_checkpoint(workspace_id: str, name: str) -> LanguageModel | None:
    """The workspace's model that was made of the checkpoint with this name."""
    found = NAME.fullmatch(name)
    if found is None:
        return None
    models = LanguageModel.objects.filter(workspace_id=workspace_id, name=found["model"], archived_at__isnull=True)
    model = models.exclude(job=None).select_related("job").first()
    is_kept = model is not None and model.job is not None and model.job.kept_step == int(found["step"])
    return model if is_kept else None
