"""Addresses of data beneath /api/v1."""

from __future__ import annotations

from django.urls import path

from datasets_app.api import changes, datasets, findings, previews, recipes, rows, versions, words
from datasets_app.models import WordKind

app_name = "datasets-api"
DATASET = "datasets/<slug:dataset_id>"
FILE = f"{DATASET}/files/<slug:file_id>"
VERSION = f"{DATASET}/versions/<slug:version_id>"
PREVIEW = f"{DATASET}/previews/<slug:preview_id>"
urlpatterns = [
    path("datasets", datasets.Datasets.as_view()),
    path(DATASET, datasets.DatasetOne.as_view()),
    path(f"{DATASET}/restore", datasets.RestoreDataset.as_view()),
    path(f"{DATASET}/files", datasets.Files.as_view()),
    path(FILE, datasets.FileOne.as_view()),
    path(f"{FILE}/restore", datasets.RestoreFile.as_view()),
    path(f"{FILE}/detect", datasets.FileDetect.as_view()),
    path(f"{DATASET}/previews", previews.Previews.as_view()),
    path(PREVIEW, previews.PreviewOne.as_view()),
    path(f"{PREVIEW}/cancel", previews.CancelPreview.as_view()),
    path(f"{DATASET}/versions", versions.Versions.as_view()),
    path(VERSION, versions.VersionOne.as_view()),
    *[
        path(f"{VERSION}/{verb}", versions.VersionAct.as_view(), {"verb": verb})
        for verb in ("cancel", "retry", "restore")
    ],
    path(f"{VERSION}/report", versions.VersionReport.as_view()),
    path(f"{VERSION}/ledger", versions.VersionLedger.as_view()),
    path(f"{VERSION}/rows", rows.Rows.as_view()),
    path(f"{VERSION}/rows/<slug:split>/<int:place>", rows.RowOne.as_view()),
    path(f"{VERSION}/edits", rows.Edits.as_view()),
    path(f"{VERSION}/edits/apply", rows.ApplyEdits.as_view()),
    path(f"{VERSION}/findings", findings.Findings.as_view()),
    path(f"{VERSION}/findings/decide", findings.DecideFindings.as_view()),
    path(f"{VERSION}/findings/<slug:finding_id>/clear", findings.FindingInClear.as_view()),
    path(f"{VERSION}/diff", changes.VersionDiff.as_view()),
    path(f"{VERSION}/card", changes.VersionCard.as_view()),
    path(f"{VERSION}/download", changes.VersionDownload.as_view()),
    path("recipes", recipes.Recipes.as_view()),
    path("recipes/steps", recipes.Steps.as_view()),
    path("recipes/presets", recipes.Presets.as_view()),
    path("recipes/check", recipes.Check.as_view()),
    path("recipes/<slug:recipe_id>", recipes.RecipeOne.as_view()),
    path("recipes/<slug:recipe_id>/restore", recipes.RestoreRecipe.as_view()),
    *[path(f"words/{kind}", words.Words.as_view(), {"kind": kind}) for kind in WordKind.values],
    *[path(f"words/{kind}/remove", words.RemoveWords.as_view(), {"kind": kind}) for kind in WordKind.values],
]
