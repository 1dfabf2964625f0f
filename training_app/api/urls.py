"""Addresses of models and fine-tunes beneath /api/v1."""

from __future__ import annotations

from django.urls import path

from training_app.api import base_models, blind, evaluations, jobs, limits, models, studies

urlpatterns = [
    path("base-models", base_models.BaseModels.as_view()),
    path("base-models/<slug:base_model_id>", base_models.BaseModelOne.as_view()),
    path("base-models/imports/<slug:import_id>", base_models.ImportOne.as_view()),
    path("blind-comparisons", blind.BlindComparisons.as_view()),
    path("blind-comparisons/<slug:comparison_id>", blind.BlindComparisonOne.as_view()),
    path("safety-limits", limits.SafetyLimitsOne.as_view()),
    path("models/<slug:model_id>", models.ModelOne.as_view()),
    path("models/<slug:model_id>/download", models.ModelDownload.as_view()),
    path("models/<slug:model_id>/card", models.ModelCard.as_view()),
    path("models/<slug:model_id>/exports", models.ModelExports.as_view()),
    path("models/<slug:model_id>/exports/<slug:export_id>", models.ModelExportOne.as_view()),
    path("models/<slug:model_id>/exports/<slug:export_id>/download", models.ModelExportDownload.as_view()),
    path("evaluations", evaluations.Evaluations.as_view()),
    path("evaluations/<slug:evaluation_id>", evaluations.EvaluationOne.as_view()),
    path("evaluations/<slug:evaluation_id>/rows", evaluations.EvaluationRows.as_view()),
    path("fine-tuning-jobs/preflight", jobs.Preflight.as_view()),
    path("fine-tuning-jobs/derive", jobs.Derive.as_view()),
    path("fine-tuning-jobs/estimate", jobs.EstimateView.as_view()),
    path("fine-tuning-jobs/<slug:job_id>", models.JobOne.as_view()),
    path("fine-tuning-jobs/<slug:job_id>/looks", jobs.Looks.as_view()),
    path("studies", studies.Studies.as_view()),
    path("studies/<slug:study_id>", studies.StudyOne.as_view()),
    path("studies/<slug:study_id>/cancel", studies.StudyCancel.as_view()),
    path("studies/<slug:study_id>/resume", studies.StudyResume.as_view()),
]
