"""The address of home."""

from __future__ import annotations

from django.urls import path

from gptstudio.overview import descent, views

urlpatterns = [
    path("", views.home, name="home"),
    path("home/running", views.running, name="home-running"),
    path("lineage/<slug:subject_id>/", descent.lineage, name="lineage"),
    path("erasure/", descent.erasure, name="erasure"),
    path("erasure/make", descent.erase_make, name="erasure-make"),
    path("erasure/delete", descent.erase_delete, name="erasure-delete"),
]
