"""The address of home."""

from __future__ import annotations

from django.urls import path

from gptstudio.overview import asking, beginning, descent, evidence_pages, views

urlpatterns = [
    path("", views.home, name="home"),
    path("home/running", views.running, name="home-running"),
    path("start/", beginning.begin, name="begin"),
    path("start/<slug:use_case_key>", beginning.start, name="begin-start"),
    path("lineage/<slug:subject_id>/", descent.lineage, name="lineage"),
    path("models/<slug:model_id>/evidence", evidence_pages.evidence, name="evidence"),
    path("models/<slug:model_id>/evidence.html", evidence_pages.evidence_file, name="evidence-file"),
    path("why/<slug:request_id>/", asking.why, name="why"),
    path("datasets/versions/<slug:version_id>/rows/<slug:split>/<int:place>/taught", asking.taught, name="row-taught"),
    path("erasure/", descent.erasure, name="erasure"),
    path("erasure/make", descent.erase_make, name="erasure-make"),
    path("erasure/delete", descent.erase_delete, name="erasure-delete"),
]
