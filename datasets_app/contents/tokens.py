"""A row of a version as the tokens of a model: the recipe's, or another of the workspace. Decides nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from datasets_app import recipes, selectors
from datasets_app.contents.refusals import sentences
from datasets_app.curation.browsing.tokenview import View, view_of
from datasets_app.curation.rows import preferred
from datasets_app.models import DatasetVersion
from gptstudio.core.errors import NotFound


def models_of(version: DatasetVersion) -> tuple[list[str], str]:
    """The models that rows can be looked at with, and the one that the recipe counts with."""
    options = _options(version)
    names = [each.name for each in selectors.tokenizers(version.dataset.workspace_id)]
    return names, str(options.get("model", settings.STARTER_NAME))


def _options(version: DatasetVersion) -> dict[str, Any]:
    try:
        found: dict[str, Any] = recipes.step(version.recipe, "tokens").get("options", {})
    except KeyError:
        return {}
    return found


def tokens_of(version: DatasetVersion, row: dict[str, Any], *, model: str) -> View:
    """The tokens of a row; NotFound for a model that the workspace has not."""
    found = selectors.tokenizer(version.dataset.workspace_id, model)
    if found is None:
        raise NotFound(f"There is no model {model[:60]} to look at rows with.", fix="Choose one of the list.")
    messages = [{"role": each["role"], "content": each["content"] or ""} for each in preferred(row["messages"])]
    limit = version.report.get("tokens", {}).get("limit")
    with sentences():
        return view_of(found.path, messages, limit=limit)
