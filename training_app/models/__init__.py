"""FineTuningJob and what it leaves behind; LanguageModel, its Evaluation, and base models on their way."""

from training_app.models.base_import import BaseModelImport, ImportState
from training_app.models.job import Checkpoint, FineTuningJob, JobEvent, JobPhase, JobState, MetricPoint, Wanted
from training_app.models.model import Evaluation, LanguageModel, ModelKind

__all__ = [
    "BaseModelImport",
    "Checkpoint",
    "Evaluation",
    "FineTuningJob",
    "ImportState",
    "JobEvent",
    "JobPhase",
    "JobState",
    "LanguageModel",
    "MetricPoint",
    "ModelKind",
    "Wanted",
]
