"""Erasing a person's data: new versions without it, and old ones and uploads emptied down to a tombstone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from datasets_app import recipes, selectors
from datasets_app.contents import rows as contents
from datasets_app.contents.tombstones import recipe_left, report_left, without_phrase
from datasets_app.contents.tracing import DataTrace, VersionTrace, marks_in
from datasets_app.curation.erasure import KIND, Phrase
from datasets_app.curation.pii.keys import Keys
from datasets_app.models import (
    Dataset,
    DatasetFile,
    DatasetVersion,
    FileState,
    RecipePreview,
    RowEdit,
    VersionOrigin,
    VersionState,
)
from datasets_app.services.lasting import remember
from datasets_app.services.versions import create_version
from datasets_app.services.written import take_out
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core import storage
from gptstudio.core.errors import Conflict, Invalid

GONE = "Erased. The digest is kept, so that it can be told that this was once here."


Marks = Mapping[tuple[str, str], Mapping[int, str]]  # by upload and source: the digest of each record's cells


def digest_of(workspace_id: str, phrase: Phrase) -> str:
    """A keyed digest of what was looked for: equal phrases give equal digests, and none can be turned back."""
    return Keys(selectors.curation_secret(workspace_id).encode()).of_value(KIND, phrase.text)


@transaction.atomic
def note_trace(actor: Actor, *, workspace_id: str, digest: str, files: int, versions: int, texts: int) -> None:
    """Write down that somebody looked for a person, by digest alone."""
    require(actor, "data.erase", workspace_id=workspace_id)
    record(
        actor,
        workspace_id=workspace_id,
        action="erasure.traced",
        subject_kind="erasure",
        subject_id=digest,
        data={"files": files, "versions": versions, "texts": texts},
    )


def create_erased_versions(
    actor: Actor, *, workspace_id: str, trace: DataTrace, phrase: Phrase | None
) -> list[DatasetVersion]:
    """Ask for a version without it, of every data set in use whose newest version or files hold something of it.

    Every later version of the data sets will be without it, too, those put away among them; so will the workspace's lists
    of words and its recipes. That holds also where no version can be made again, which is a Conflict.
    """
    require(actor, "data.erase", workspace_id=workspace_id)
    keys = Keys(selectors.curation_secret(workspace_id).encode())
    marks = {(each.file.id, source): found for each in trace.files for source, found in marks_in(each, keys).items()}
    with transaction.atomic():
        made = _made_again(actor, workspace_id, trace, phrase, marks)
    if not made:
        raise Conflict(
            "No data set in use has a version to be made again; later ones will be without it.",
            fix="Erase the uploads and versions below.",
        )
    return made


def _made_again(
    actor: Actor, workspace_id: str, trace: DataTrace, phrase: Phrase | None, marks: Marks
) -> list[DatasetVersion]:
    if phrase:
        take_out(workspace_id, phrase)
    touched = {each.version.dataset_id for each in trace.versions} | {each.file.dataset_id for each in trace.files}
    RecipePreview.objects.filter(dataset_id__in=touched).delete()  # they show rows
    keys = Keys(selectors.curation_secret(workspace_id).encode())
    phrases = [phrase.entry(keys)] if phrase else []
    for dataset in Dataset.objects.filter(workspace_id=workspace_id, id__in=touched):
        remember(actor, dataset=dataset, entries=[*phrases, *_records(trace, dataset.id, marks)])
    held = {each.version.id: each for each in trace.versions}
    records = {mark for found in marks.values() for mark in found.values()}
    made = []
    for dataset in selectors.datasets_of(workspace_id).filter(id__in=touched):
        newest = selectors.ready_versions(dataset).first()
        if newest is None:
            continue
        files = [file for file in newest.files.order_by("created_at", "id") if file.erased_at is None]
        if not files:
            continue
        body = recipes.with_edits(newest.recipe, _edits_gone(newest, phrase, held.get(newest.id), records))
        if phrase:
            body = without_phrase(body, phrase)
        version = create_version(
            actor, dataset=dataset, recipe=body, files=files, parent=newest, origin=VersionOrigin.ERASED
        )
        made.append(version)
    return made


def _records(trace: DataTrace, dataset_id: str, marks: Marks) -> list[dict[str, Any]]:
    """The records found in a data set's uploads as entries of curation's option `erased`, each with its digest."""
    entries = []
    for each in trace.files:
        if each.file.dataset_id == dataset_id:
            own = each.file.name[:-3] if each.file.name.lower().endswith(".gz") else each.file.name
            for source, numbers in each.whole.items():
                file = f"{each.file.id}{source.removeprefix(own)}"
                known = marks.get((each.file.id, source), {})
                entries += [
                    {"file": file, "record": number, **({"mark": known[number]} if number in known else {})}
                    for number in numbers
                ]
    return entries


def _edits_gone(
    version: DatasetVersion, phrase: Phrase | None, found: VersionTrace | None, records: Collection[str]
) -> list[dict[str, Any]]:
    """Earlier edits that say it themselves, or are of a row that goes: in their place stands that the row is erased.

    Which row an edit is of its digest tells, for numbers may have moved since; `records` are the digests of those in files.
    """
    edits = recipes.edited_rows(version.recipe)
    if not edits:
        return []
    rows = contents.rows_of(version, found.places) if found else {}
    marks = {*records, *(row["record"] for row in rows.values() if row.get("record"))}
    gone = {(file, row) for file, numbers in found.rows.items() for row in numbers} if found else set()
    return [
        {**{name: edit[name] for name in ("file", "row", "mark") if name in edit}, "erase": True}
        for edit in edits
        if (edit["mark"] in marks if "mark" in edit else (edit["file"], edit["row"]) in gone)
        or (phrase and any(phrase.is_in(str(turn["content"])) for turn in edit.get("messages", [])))
    ]


def erase_version(actor: Actor, *, version: DatasetVersion, reason: str) -> DatasetVersion:
    """Delete a version's rows, ledger and every text about them. What is left: digest, counts, recipe without texts.

    Unavailable, and nothing is changed, where the bucket that has them does not answer.
    """
    workspace_id = version.dataset.workspace_id
    require(actor, "data.erase", workspace_id=workspace_id)
    _check_reason(reason)
    storage.check()
    with transaction.atomic():
        version = DatasetVersion.objects.select_for_update().select_related("dataset").get(id=version.id)
        if version.state != VersionState.READY:
            raise Conflict(f"{version} is not ready, so there is nothing to erase.", fix="Stop it, or wait.")
        version.state, version.erased_at, version.erased_because = VersionState.ERASED, timezone.now(), reason.strip()
        version.report, version.recipe = report_left(version.report), recipe_left(version.recipe)
        version.save(update_fields=["state", "erased_at", "erased_because", "report", "recipe"])
        RowEdit.objects.filter(version=version).update(messages=[], note="")
        _audit(actor, workspace_id, "version.erased", version.id, str(version), version.digest, reason)
    storage.let_go(version.stored)
    return version


def erase_file(actor: Actor, *, file: DatasetFile, reason: str) -> DatasetFile:
    """Delete an upload's bytes and what was seen in them. Nothing can be made from it any more. Unavailable as above."""
    workspace_id = file.dataset.workspace_id
    require(actor, "data.erase", workspace_id=workspace_id)
    _check_reason(reason)
    storage.check()
    with transaction.atomic():
        now = timezone.now()
        DatasetFile.objects.filter(id=file.id).update(
            erased_at=now,
            erased_because=reason.strip()[:300],
            archived_at=file.archived_at or now,
            state=FileState.ERROR,
            error=GONE,
            detection={},
        )
        RecipePreview.objects.filter(dataset_id=file.dataset_id).delete()  # they show rows
        _audit(actor, workspace_id, "file.erased", file.id, file.name, file.digest, reason)
        shared = DatasetFile.objects.filter(digest=file.digest, erased_at__isnull=True).exists()
    if not shared:  # uploads are kept by digest: the same bytes may be another data set's too
        storage.let_go(file.stored)
    file.refresh_from_db()
    return file


def erased_uploads(digests: Collection[str]) -> set[str]:
    """Those of them that were erased and that no other upload has."""
    found = DatasetFile.objects.filter(digest__in=digests)
    live = set(found.filter(erased_at__isnull=True).values_list("digest", flat=True))
    return set(found.filter(erased_at__isnull=False).values_list("digest", flat=True)) - live


def erased_versions(ids: Collection[str]) -> set[str]:
    """Those of them that were erased."""
    return set(DatasetVersion.objects.filter(id__in=ids, state=VersionState.ERASED).values_list("id", flat=True))


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("The erasure has no reason.", fix="Say in a few words who asked for it and when.", param="reason")


def _audit(actor: Actor, workspace_id: str, action: str, subject_id: str, label: str, digest: str, reason: str) -> None:
    record(
        actor,
        workspace_id=workspace_id,
        action=action,
        subject_kind=action.partition(".")[0],
        subject_id=subject_id,
        subject_label=label,
        data={"digest": digest, "reason": reason.strip()[:300]},
    )
