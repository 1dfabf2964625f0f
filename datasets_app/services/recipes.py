"""Recipes under a name: kept, changed, copied, put away. A version has its own copy, so nothing here reaches it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from datasets_app import recipes, selectors
from datasets_app.curation.kinds import BY_NAME
from datasets_app.models import CurationRecipe, Dataset, DatasetFile, DatasetVersion, VersionState, WordKind
from datasets_app.services.lasting import without_erased
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid

OWN_WORDS = (
    ("spelling", "dictionary", WordKind.DICTIONARY),
    ("personal_data", "allow", WordKind.ALLOW),
    ("personal_data", "deny", WordKind.DENY),
)


def completed(
    dataset: Dataset, body: recipes.Recipe, files: Sequence[DatasetFile], *, parent: DatasetVersion | None = None
) -> recipes.Recipe:
    """A checked recipe as this data set means it: its mapping where the recipe has none, its readings, decisions about
    findings, what was erased, and the workspace's words; with the edits of the version that it starts from.

    Versions keep the result, so a later change changes nothing of what an old version says of itself. Conflict for a parent
    that was erased: what was edited in it is gone. Invalid for a recipe whose steps uncover what it hides.
    """
    if parent is not None and parent.state == VersionState.ERASED:
        raise Conflict(f"{parent} was erased, and with it what was edited there.", fix="Start from another version.")
    recipes.check_hiding(body)
    found = {**copy.deepcopy(body), "mapping": body.get("mapping") or dataset.mapping}
    _add_own(dataset, found)
    if parent is not None and (rows := recipes.edited_rows(parent.recipe)):
        found = recipes.with_edits(found, rows)
    found = without_erased(dataset, found, files)
    reading = {file.id: file.reading for file in files if file.reading}
    return {**found, "reading": {**body.get("reading", {}), **reading}} if reading else found


def _add_own(dataset: Dataset, body: recipes.Recipe) -> None:
    """The workspace's words and the decisions about findings, to the options of the steps that take them."""
    steps = {each["kind"]: each.setdefault("options", {}) for each in body["steps"]}
    words = selectors.words_of(dataset.workspace_id)
    for kind, option, own in OWN_WORDS:
        if kind in steps and words[own] and option in BY_NAME[kind].defaults():
            steps[kind][option] = list(dict.fromkeys([*(steps[kind].get(option) or []), *words[own]]))
    decided = {each.key: each.verdict for each in selectors.decisions_of(dataset)}
    if decided and "personal_data" in steps and "decisions" in BY_NAME["personal_data"].defaults():
        steps["personal_data"]["decisions"] = {**(steps["personal_data"].get("decisions") or {}), **decided}


def _audit(actor: Actor, recipe: CurationRecipe, action: str) -> None:
    record(
        actor,
        workspace_id=recipe.workspace_id,
        action=action,
        subject_kind="recipe",
        subject_id=recipe.id,
        subject_label=recipe.name,
    )


def _named(name: str) -> str:
    if not name.strip():
        raise Invalid("The recipe has no name.", fix="Name it after what it is for.", param="name")
    return name.strip()[:120]


def _checked(body: dict[str, Any]) -> recipes.Recipe:
    found = recipes.checked(body)
    recipes.check_hiding(found)
    return found


def _taken(name: str, *, fix: str = "Choose another name.") -> Conflict:
    return Conflict(f"There is a recipe called “{name}” already.", fix=fix, param="name")


def create_recipe(actor: Actor, *, workspace_id: str, name: str, body: dict[str, Any]) -> CurationRecipe:
    """Keep a recipe under a name that no other of the workspace has."""
    require(actor, "datasets.edit", workspace_id=workspace_id)
    wanted, checked = _named(name), _checked(body)
    try:
        with transaction.atomic():
            recipe = CurationRecipe.objects.create(
                workspace_id=workspace_id, name=wanted, body=checked, created_by_id=actor.user_id
            )
            _audit(actor, recipe, "recipe.created")
    except IntegrityError as error:
        raise _taken(wanted) from error
    return recipe


def update_recipe(actor: Actor, *, recipe: CurationRecipe, name: str, body: dict[str, Any]) -> CurationRecipe:
    """Change a recipe for what comes next. Versions made with it keep what they were made with."""
    require(actor, "datasets.edit", workspace_id=recipe.workspace_id)
    recipe.name, recipe.body = _named(name), _checked(body)
    try:
        with transaction.atomic():
            recipe.save(update_fields=["name", "body", "changed_at"])
            _audit(actor, recipe, "recipe.changed")
    except IntegrityError as error:
        raise _taken(recipe.name) from error
    return recipe


def copy_recipe(actor: Actor, *, recipe: CurationRecipe) -> CurationRecipe:
    """The same steps under a name of their own: “Support (2)”."""
    require(actor, "datasets.edit", workspace_id=recipe.workspace_id)
    taken = set(
        CurationRecipe.objects.filter(workspace_id=recipe.workspace_id, archived_at__isnull=True).values_list(
            "name", flat=True
        )
    )
    number = 2
    while (name := f"{recipe.name[:110]} ({number})") in taken:
        number += 1
    return create_recipe(actor, workspace_id=recipe.workspace_id, name=name, body=recipe.body)


@transaction.atomic
def archive_recipe(actor: Actor, *, recipe: CurationRecipe) -> CurationRecipe:
    """Put a recipe out of sight; its name is free again."""
    require(actor, "datasets.edit", workspace_id=recipe.workspace_id)
    if CurationRecipe.objects.filter(id=recipe.id, archived_at__isnull=True).update(archived_at=timezone.now()):
        _audit(actor, recipe, "recipe.archived")
    recipe.refresh_from_db()
    return recipe


def restore_recipe(actor: Actor, *, recipe: CurationRecipe) -> CurationRecipe:
    """Bring a recipe back that was put away. Raises Conflict where another one has its name by now."""
    require(actor, "datasets.edit", workspace_id=recipe.workspace_id)
    try:
        with transaction.atomic():
            if CurationRecipe.objects.filter(id=recipe.id, archived_at__isnull=False).update(archived_at=None):
                _audit(actor, recipe, "recipe.restored")
    except IntegrityError as error:
        raise _taken(recipe.name, fix="Give that one another name first.") from error
    recipe.refresh_from_db()
    return recipe
