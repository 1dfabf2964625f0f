"""Addresses of models beneath /api/v1."""

from __future__ import annotations

from django.urls import path

from training_app.api import base_models

urlpatterns = [
    path("base-models", base_models.BaseModels.as_view()),
    path("base-models/<slug:base_model_id>", base_models.BaseModelOne.as_view()),
    path("base-models/imports/<slug:import_id>", base_models.ImportOne.as_view()),
]
