"""A version as a base model needs it: the same files and recipe, its tokens counted with that model's tokenizer."""

from __future__ import annotations

import copy

from datasets_app import recipes
from datasets_app.models import DatasetVersion, VersionOrigin
from datasets_app.selectors import files_of_version
from datasets_app.services import create_version
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import Conflict
from training_app.models import LanguageModel
from training_app.presets import USUAL_LENGTH


def derive_version(
    actor: Actor, *, version: DatasetVersion, base_model: LanguageModel, max_length: int = 0
) -> DatasetVersion:
    """Ask for a new version of the same rows, measured for `base_model` at `max_length` tokens (0: as it was, or the usual)."""
    files = [file for file in files_of_version(version) if file.erased_at is None]
    if not files:
        raise Conflict(f"The files of {version} are no longer kept.", fix="Make a version of other files.")
    limit = min(max_length or version.token_limit or USUAL_LENGTH, base_model.context_length or USUAL_LENGTH)
    body = copy.deepcopy(version.recipe)
    wanted = {"model": base_model.root.name, "limit": limit}
    try:
        step = recipes.step(body, "tokens")
    except KeyError:
        body = recipes.with_steps(body, {"tokens": {"policy": "drop", **wanted}})
    else:
        step["enabled"] = True
        step.setdefault("options", {}).update(wanted)
    return create_version(
        actor, dataset=version.dataset, recipe=body, files=files, parent=version, origin=VersionOrigin.RESTORED
    )
