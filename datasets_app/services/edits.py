"""Edits of rows: collected on a version, made in the next one. A frozen version is never touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from datasets_app import recipes, selectors
from datasets_app.contents import rows as contents
from datasets_app.models import DatasetFile, DatasetVersion, EditAction, RowEdit, VersionOrigin, file_behind
from datasets_app.services.versions import audit_version, create_version
from gptstudio.accounts.policies import Actor, require
from gptstudio.core.errors import Conflict, Invalid, NotFound, StudioError

Place = tuple[str, int]
MOST_EDITS = 10_000
MOST_CHARACTERS = 1_000_000


class Stale(StudioError):
    """Somebody else changed the row in the meantime."""

    status = 412
    code = "changed_meanwhile"


def _origin(version: DatasetVersion, row: dict[str, Any], files: dict[str, DatasetFile]) -> tuple[DatasetFile, str]:
    found = file_behind(files, row["file"])
    if found is None:
        raise NotFound(f"The file {row['file']} is not among those that {version} was made from.")
    return found


def _checked(before: Sequence[dict[str, Any]], given: object) -> list[dict[str, str]]:
    """The new turns: as many as before with the same roles, each a text, the last one not empty."""
    turns = given if isinstance(given, list) else []
    if len(turns) != len(before) or not all(isinstance(each, dict) for each in turns):
        raise Invalid(
            f"The row has {len(before)} turns and the edit {len(turns)}.", fix="Send every turn, changed or not."
        )
    found = [{"role": str(each.get("role", "")), "content": each.get("content")} for each in turns]
    if [each["role"] for each in found] != [each["role"] for each in before]:
        raise Invalid("The edit changes who speaks.", fix="Only what is said can be changed.")
    texts = [each["content"] for each in found]
    if not all(isinstance(text, str) for text in texts):
        raise Invalid("A turn of the edit holds no text.", fix="Give each turn its content as a text.")
    if not str(texts[-1]).strip():
        raise Invalid("The answer would be empty.", fix="Leave the row out instead.")
    if sum(len(str(text)) for text in texts) > MOST_CHARACTERS:
        raise Invalid(f"The row would be longer than {MOST_CHARACTERS:,} characters.", fix="Shorten it.")
    return [{"role": each["role"], "content": str(each["content"])} for each in found]


def edit_row(
    actor: Actor, *, version: DatasetVersion, place: Place, messages: object, note: str = "", expected: str = ""
) -> RowEdit:
    """Say what a row shall say in the next version.

    `expected` is the mark (`contents.rows.etag`) of what the person saw; Stale when the row says something else by now.
    """
    require(actor, "datasets.edit", workspace_id=version.dataset.workspace_id)
    row = contents.rows_of(version, [place])[place]
    if row.get("part"):
        raise Conflict(
            f"This is part {row['part']} of a row that was too long; an edit would put it in the place of the whole.",
            fix="Leave the row out, correct it in its file, or raise the limit of tokens.",
        )
    with transaction.atomic():
        waiting = selectors.edits_of(version).select_for_update(of=("self",)).filter(split=place[0], place=place[1])
        earlier = waiting.first()
        shown = earlier.messages if earlier is not None and earlier.action == EditAction.REPLACE else row["messages"]
        if expected and expected != contents.etag(shown):
            raise Stale("This row was edited by somebody else in the meantime.", fix="Load it again, then edit it.")
        turns = _checked(row["messages"], messages)
        (edit,) = _write(actor, version, {place: row}, action=EditAction.REPLACE, messages=turns, note=note)
    return edit


def exclude_rows(actor: Actor, *, version: DatasetVersion, places: Sequence[Place], note: str = "") -> int:
    """Leave rows out of the next version. Returns how many."""
    return _several(actor, version, places, action=EditAction.EXCLUDE, note=note)


def flag_rows(actor: Actor, *, version: DatasetVersion, places: Sequence[Place], note: str = "") -> int:
    """Ask somebody to look at rows; nothing changes by it. Returns how many."""
    return _several(actor, version, places, is_flagged=True, note=note)


def _several(actor: Actor, version: DatasetVersion, places: Sequence[Place], **fields: Any) -> int:
    require(actor, "datasets.edit", workspace_id=version.dataset.workspace_id)
    if not places:
        raise Invalid("No row was chosen.", fix="Choose at least one.")
    if len(places) > MOST_EDITS:
        message = f"{len(places):,} rows were chosen; at once at most {MOST_EDITS:,} can be."
        raise Invalid(message, fix="Narrow the rows further, or use a filter step in the recipe.")
    found = contents.rows_of(version, places)
    with transaction.atomic():
        return len(_write(actor, version, found, **fields))


def _write(
    actor: Actor, version: DatasetVersion, rows: dict[Place, dict[str, Any]], *, note: str, **fields: Any
) -> list[RowEdit]:
    files = selectors.files_by_name(version)
    known = {(edit.split, edit.place): edit for edit in selectors.edits_of(version)}
    edits = []
    for (split, place), row in rows.items():
        edit = known.get((split, place)) or RowEdit(version=version, split=split, place=place, row=row["row"])
        edit.record = row.get("record") or ""
        (edit.file, edit.part), edit.note = _origin(version, row, files), note.strip()[:300]
        edit.made_by_id = actor.user_id  # type: ignore[assignment]
        for name, value in fields.items():
            setattr(edit, name, value)
        edits.append(edit)
    if len({(edit.split, edit.place) for edit in edits} | set(known)) > MOST_EDITS:
        raise Invalid(f"A version takes at most {MOST_EDITS:,} edits.", fix="Make the next version first.")
    RowEdit.objects.bulk_create(
        edits,
        update_conflicts=True,
        unique_fields=["version", "split", "place"],
        update_fields=[
            "file",
            "part",
            "record",
            "action",
            "messages",
            "is_flagged",
            "note",
            "made_by",
            "made_at",
            "applied_in",
        ],
    )
    audit_version(actor, version, "version.rows_edited", {"rows": len(edits), "what": _said(fields)})
    return edits


def _said(fields: dict[str, Any]) -> str:
    return str(fields.get("action") or ("flag" if fields.get("is_flagged") else "unflag"))


def undo_edits(actor: Actor, *, version: DatasetVersion, places: Sequence[Place]) -> int:
    """Take back edits, exclusions and flags that no version has yet. Returns how many."""
    require(actor, "datasets.edit", workspace_id=version.dataset.workspace_id)
    wanted = set(places)
    with transaction.atomic():
        ids = [edit.id for edit in selectors.edits_of(version) if (edit.split, edit.place) in wanted]
        RowEdit.objects.filter(id__in=ids).delete()
        if ids:
            audit_version(actor, version, "version.rows_edited", {"rows": len(ids), "what": "undo"})
    return len(ids)


@transaction.atomic
def create_edited_version(actor: Actor, *, version: DatasetVersion) -> DatasetVersion:
    """Ask for the next version: the same files and recipe, with the edits that wait."""
    require(actor, "datasets.edit", workspace_id=version.dataset.workspace_id)
    waiting = list(selectors.edits_of(version).select_for_update(of=("self",)).exclude(action=EditAction.KEEP))
    if not waiting:
        raise Conflict("No row of this version was edited.", fix="Edit or exclude a row first.")
    body = recipes.with_edits(version.recipe, [_entry(edit) for edit in waiting])
    files = list(version.files.order_by("created_at", "id"))
    made = create_version(
        actor, dataset=version.dataset, recipe=body, files=files, parent=version, origin=VersionOrigin.EDITED
    )
    RowEdit.objects.filter(id__in=[edit.id for edit in waiting]).update(applied_in=made)
    return made


def _entry(edit: RowEdit) -> dict[str, Any]:
    place: dict[str, Any] = {"file": f"{edit.file_id}{edit.part}", "row": edit.row}
    if edit.record:
        place["mark"] = edit.record
    return {**place, "messages": edit.messages} if edit.action == EditAction.REPLACE else {**place, "exclude": True}
