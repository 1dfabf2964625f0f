"""Addresses of lineage and erasure beneath /api/v1."""

from __future__ import annotations

from django.urls import path

from gptstudio.overview import rest

urlpatterns = [
    path("lineage/<slug:subject_id>", rest.LineageOne.as_view()),
    path("datasets/<slug:dataset_id>/versions/<slug:version_id>/lineage", rest.VersionLineage.as_view()),
    path("erasure/trace", rest.ErasureTrace.as_view()),
    path("erasure/versions", rest.ErasureVersions.as_view()),
    path("erasure/tombstones", rest.ErasureTombstones.as_view()),
]
