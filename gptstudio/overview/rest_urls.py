"""Addresses of use cases, lineage and erasure beneath /api/v1."""

from __future__ import annotations

from django.urls import path

from gptstudio.overview import rest, rest_evidence, rest_use_cases, rest_why

urlpatterns = [
    path("use-cases", rest_use_cases.UseCases.as_view()),
    path("use-cases/<slug:use_case_key>/start", rest_use_cases.StartUseCase.as_view()),
    path("lineage/<slug:subject_id>", rest.LineageOne.as_view()),
    path("datasets/<slug:dataset_id>/versions/<slug:version_id>/lineage", rest.VersionLineage.as_view()),
    path("models/<slug:model_id>/evidence", rest_evidence.ModelEvidence.as_view()),
    path("completions/<slug:request_id>/why", rest_why.CompletionWhy.as_view()),
    path(
        "datasets/<slug:dataset_id>/versions/<slug:version_id>/rows/<slug:split>/<int:place>/taught",
        rest_why.RowTaught.as_view(),
    ),
    path("erasure/trace", rest.ErasureTrace.as_view()),
    path("erasure/versions", rest.ErasureVersions.as_view()),
    path("erasure/tombstones", rest.ErasureTombstones.as_view()),
]
