"""FineTuningJob and what it leaves behind, studies of several; LanguageModel, its Evaluation and exports; what stands around them."""

from training_app.models.base_import import BaseModelImport, ImportState
from training_app.models.blind import BlindComparison, BlindJudgement, Choice, Side, Turn
from training_app.models.export import ExportForm, ExportState, ModelExport
from training_app.models.job import ENDED, Checkpoint, FineTuningJob, JobEvent, JobPhase, JobState, MetricPoint, Wanted
from training_app.models.limits import SafetyLimits
from training_app.models.measurement import Measurement, MeasurementKind, MeasurementState
from training_app.models.model import WEIGHTS, Evaluation, LanguageModel, ModelKind
from training_app.models.study import Study, StudyKind, StudyState

__all__ = [
    "ENDED",
    "WEIGHTS",
    "BaseModelImport",
    "BlindComparison",
    "BlindJudgement",
    "Checkpoint",
    "Choice",
    "Evaluation",
    "ExportForm",
    "ExportState",
    "FineTuningJob",
    "ImportState",
    "JobEvent",
    "JobPhase",
    "JobState",
    "LanguageModel",
    "Measurement",
    "MeasurementKind",
    "MeasurementState",
    "MetricPoint",
    "ModelExport",
    "ModelKind",
    "SafetyLimits",
    "Side",
    "Study",
    "StudyKind",
    "StudyState",
    "Turn",
    "Wanted",
]
