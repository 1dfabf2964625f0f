"""FineTuningJob and what it leaves behind; LanguageModel and its Evaluation."""

from training_app.models.job import Checkpoint, FineTuningJob, JobEvent, JobPhase, JobState, MetricPoint, Wanted
from training_app.models.model import Evaluation, LanguageModel, ModelKind

__all__ = [
    "Checkpoint",
    "Evaluation",
    "FineTuningJob",
    "JobEvent",
    "JobPhase",
    "JobState",
    "LanguageModel",
    "MetricPoint",
    "ModelKind",
    "Wanted",
]
