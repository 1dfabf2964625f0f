"""Addresses beneath datasets/."""

from __future__ import annotations

from django.urls import path

from datasets_app.web.views import (
    building,
    changes,
    datasets,
    editing,
    file,
    files,
    findings,
    previews,
    recipes,
    rows,
    uploads,
    versions,
    words,
)

app_name = "datasets"
VERSION = "versions/<slug:version_id>"
FILE = "<slug:dataset_id>/files/<slug:file_id>"
urlpatterns = [
    path("", datasets.datasets, name="list"),
    path("new", datasets.new, name="new"),
    path("words", words.words, name="words"),
    path("recipes/", recipes.recipes, name="recipes"),
    path("recipes/new", recipes.new, name="recipe-new"),
    path("recipes/compare", recipes.compare, name="recipe-compare"),
    path("recipes/<slug:recipe_id>/", recipes.recipe, name="recipe"),
    path("recipes/<slug:recipe_id>/copy", recipes.copy, name="recipe-copy"),
    path("recipes/<slug:recipe_id>/archive", recipes.archive, name="recipe-archive"),
    path("previews/<slug:preview_id>/live", previews.live_part, name="preview"),
    path("previews/<slug:preview_id>/cancel", previews.cancel, name="preview-cancel"),
    path("uploads", uploads.begin, name="upload-begin"),
    path("uploads/<slug:upload_id>/parts", uploads.part, name="upload-part"),
    path("uploads/<slug:upload_id>/complete", uploads.complete, name="upload-complete"),
    path("uploads/<slug:upload_id>/cancel", uploads.cancel, name="upload-cancel"),
    path(f"{VERSION}/", versions.report, name="version"),
    path(f"{VERSION}/rows", rows.rows, name="version-rows"),
    path(f"{VERSION}/rows/open-test", rows.open_test, name="version-open-test"),
    path(f"{VERSION}/rows/mark", editing.mark, name="version-mark"),
    path(f"{VERSION}/rows/apply", editing.apply, name="version-apply"),
    path(f"{VERSION}/rows/<slug:split>/<int:place>/", rows.row, name="row"),
    path(f"{VERSION}/rows/<slug:split>/<int:place>/edit", editing.edit, name="row-edit"),
    path(f"{VERSION}/rows/<slug:split>/<int:place>/as-it-came", rows.as_it_came, name="row-as-it-came"),
    path(f"{VERSION}/changes", changes.changes, name="version-changes"),
    path(f"{VERSION}/restore", changes.restore, name="version-restore"),
    path(f"{VERSION}/card", changes.card, name="version-card"),
    path(f"{VERSION}/take", changes.take, name="version-take"),
    path(f"{VERSION}/findings", findings.findings, name="version-findings"),
    path(f"{VERSION}/findings/decide", findings.decide, name="version-decide"),
    path(f"{VERSION}/left-out", versions.left_out, name="version-left-out"),
    path(f"{VERSION}/recipe", versions.recipe, name="version-recipe"),
    path(f"{VERSION}/origin", versions.origin, name="version-origin"),
    path(f"{VERSION}/progress", building.progress, name="version-progress"),
    path(f"{VERSION}/cancel", building.cancel, name="version-cancel"),
    path(f"{VERSION}/retry", building.retry, name="version-retry"),
    path("<slug:dataset_id>/", datasets.dataset, name="dataset"),
    path("<slug:dataset_id>/contents", datasets.contents, name="contents"),
    path("<slug:dataset_id>/archive", datasets.archive, name="archive"),
    path("<slug:dataset_id>/files", files.upload, name="upload"),
    path(f"{FILE}/", file.file, name="file"),
    path(f"{FILE}/preview", file.preview, name="file-preview"),
    path(f"{FILE}/columns", file.columns, name="file-columns"),
    path(f"{FILE}/read", file.read, name="file-read"),
    path(f"{FILE}/guess", file.guess, name="file-guess"),
    path(f"{FILE}/archive", files.archive, name="file-archive"),
    path("<slug:dataset_id>/version", building.new, name="version-new"),
    path("<slug:dataset_id>/version/count", previews.start, name="preview-new"),
]
