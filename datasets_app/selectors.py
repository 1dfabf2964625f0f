"""Reading data sets, files and versions. The workspace comes first, so that nobody sees what is not theirs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from datasets_app import recipes
from datasets_app.models import (
    CurationRecipe,
    Dataset,
    DatasetFile,
    DatasetVersion,
    FileUpload,
    FindingDecision,
    RecipePreview,
    RowEdit,
    Tokenizer,
    UploadState,
    VersionState,
    WordKind,
    WordList,
    run_names,
)
from gptstudio.core.counting import count_of
from gptstudio.core.errors import NotFound
from gptstudio.review.models import ReviewItem, ReviewState
from gptstudio.review.selectors import item_about, last_decision


def datasets_of(workspace_id: str, *, archived: bool = False) -> QuerySet[Dataset]:
    """The workspace's data sets, or those put away, newest first, each with `file_count` and `version_count`."""
    return Dataset.objects.filter(workspace_id=workspace_id, archived_at__isnull=not archived).annotate(
        file_count=count_of(DatasetFile.objects.all(), "dataset"),
        version_count=count_of(DatasetVersion.objects.all(), "dataset"),
    )


def dataset_of(workspace_id: str, dataset_id: str, *, also_archived: bool = False) -> Dataset:
    """One data set of the workspace."""
    live = {} if also_archived else {"archived_at__isnull": True}
    found = Dataset.objects.filter(workspace_id=workspace_id, id=dataset_id, **live).first()
    if found is None:
        raise NotFound(f"There is no data set {dataset_id} in this workspace.")
    return found


def files_of(workspace_id: str, *, also_archived: bool = False) -> QuerySet[DatasetFile]:
    """The workspace's files, those left out only where asked for."""
    live = {} if also_archived else {"archived_at__isnull": True}
    return DatasetFile.objects.filter(dataset__workspace_id=workspace_id, **live).select_related("dataset")


def file_of(workspace_id: str, file_id: str, *, also_archived: bool = False) -> DatasetFile:
    """One file of the workspace."""
    found = files_of(workspace_id, also_archived=also_archived).filter(id=file_id).first()
    if found is None:
        raise NotFound(f"There is no file {file_id} in this workspace.")
    return found


def live_files(dataset: Dataset, *, archived: bool = False) -> QuerySet[DatasetFile]:
    """The data set's files, or those left out that can be taken in again, in the order they came."""
    return dataset.files.filter(archived_at__isnull=not archived, erased_at=None).order_by("created_at", "id")


def kept_files(dataset: Dataset) -> list[DatasetFile]:
    """The same as a list; no query where the files were brought with the data set."""
    return [file for file in dataset.files.all() if file.archived_at is None]


def files_of_version(version: DatasetVersion) -> QuerySet[DatasetFile]:
    """What a version was made from, in the order they came; files that were taken out later too."""
    return version.files.select_related("uploaded_by").order_by("created_at", "id")


def brought_files(version: DatasetVersion) -> list[DatasetFile]:
    """The same as a list; no query where the files were brought with the version."""
    return sorted(version.files.all(), key=lambda file: (file.created_at, file.id))


def versions_of(workspace_id: str) -> QuerySet[DatasetVersion]:
    """The workspace's versions, newest first."""
    return DatasetVersion.objects.filter(
        dataset__workspace_id=workspace_id, dataset__archived_at__isnull=True
    ).select_related("dataset")


def newest_versions(workspace_id: str, dataset_ids: Sequence[str]) -> dict[str, DatasetVersion]:
    """The newest version of each of these data sets, by data set."""
    newest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-number").values("id")[:1]
    sets = Dataset.objects.filter(workspace_id=workspace_id, id__in=dataset_ids).values_list(Subquery(newest))
    rows = DatasetVersion.objects.filter(id__in=sets).defer("report", "recipe")
    return {version.dataset_id: version for version in rows}


def version_of(workspace_id: str, version_id: str) -> DatasetVersion:
    """One version of the workspace. Versions of archived data sets stay readable: models descend from them."""
    found = (
        DatasetVersion.objects.filter(dataset__workspace_id=workspace_id, id=version_id)
        .select_related("dataset", "parent", "parent__dataset")
        .first()
    )
    if found is None:
        raise NotFound(f"There is no data version {version_id} in this workspace.")
    return found


def trainable_versions(workspace_id: str) -> QuerySet[DatasetVersion]:
    """Versions that are ready."""
    return versions_of(workspace_id).filter(state=VersionState.READY)


def version_to_verify(version_id: str, *, uploads: bool = True) -> DatasetVersion:
    """A version that is ready, in whichever workspace. NotFound where it is gone, or with `uploads` one of these."""
    version = DatasetVersion.objects.select_related("dataset").filter(id=version_id, state=VersionState.READY).first()
    if version is None:
        raise NotFound(f"There is no version {version_id} that is ready.")
    gone = [file.name for file in version.files.all() if uploads and not file.path.is_file()]
    if gone:
        raise NotFound(f"The upload {gone[0]} is no longer kept, so {version} cannot be made again.")
    return version


def ready_versions(dataset: Dataset) -> QuerySet[DatasetVersion]:
    """The data set's versions that are ready, newest first."""
    found = DatasetVersion.objects.filter(dataset=dataset, state=VersionState.READY)
    return found.select_related("dataset").order_by("-number")


def cleared_by(version: DatasetVersion, item: ReviewItem | None) -> bool:
    """Whether training may use it, given its item: its recipe hides personal data, names too, its rows are made up, or a
    reviewer said yes.

    A "no" holds whatever the recipe, also while the maker asks again.
    """
    if item is not None and (item.state != ReviewState.PENDING or last_decision(item) is not None):
        return item.state == ReviewState.APPROVED
    return not why_seen(version)


def why_seen(version: DatasetVersion) -> str:
    """What its recipe does so that a reviewer must look at it; empty where nobody must."""
    why = recipes.why_seen(version.recipe)
    return "" if why and version.is_made_up else why


def version_is_cleared(version: DatasetVersion) -> bool:
    """Whether training may use it; see `cleared_by`."""
    return cleared_by(version, item_about(version.id, kind="version"))


def recipes_of(workspace_id: str, *, archived: bool = False) -> QuerySet[CurationRecipe]:
    """The workspace's recipes, or those put away, by name."""
    found = CurationRecipe.objects.filter(workspace_id=workspace_id, archived_at__isnull=not archived)
    return found.select_related("created_by")


def recipe_of(workspace_id: str, recipe_id: str, *, also_archived: bool = False) -> CurationRecipe:
    """One recipe of the workspace."""
    found = (recipes_of(workspace_id) | recipes_of(workspace_id, archived=also_archived)).filter(id=recipe_id).first()
    if found is None:
        raise NotFound(f"There is no recipe {recipe_id} in this workspace.")
    return found


def preview_of(workspace_id: str, preview_id: str) -> RecipePreview:
    """One preview of the workspace; earlier ones of a data set are gone once a newer one is asked for."""
    mine = RecipePreview.objects.filter(dataset__workspace_id=workspace_id, id=preview_id)
    found = mine.select_related("dataset").first()
    if found is None:
        raise NotFound(f"There is no preview {preview_id} in this workspace; a newer one may have replaced it.")
    return found


def files_of_preview(preview: RecipePreview) -> QuerySet[DatasetFile]:
    """The files that a preview is about, in the order they came."""
    return preview.files.order_by("created_at", "id")


def words_of(workspace_id: str) -> dict[str, list[str]]:
    """The workspace's own words by kind; every kind is there."""
    kept = {each.kind: each.words for each in WordList.objects.filter(workspace_id=workspace_id)}
    return {kind: kept.get(kind, []) for kind in WordKind.values}


def curation_secret(workspace_id: str) -> str:
    """The workspace's secret for stand-ins and digests: the same for all its versions, unlike any other workspace's."""
    return hmac.new(settings.SECRET_KEY.encode(), f"curation:{workspace_id}".encode(), hashlib.sha256).hexdigest()


def kept_uploads(workspace_id: str) -> QuerySet[DatasetFile]:
    """Every upload whose bytes are still here, those put away among them, oldest first."""
    found = DatasetFile.objects.filter(dataset__workspace_id=workspace_id, erased_at__isnull=True)
    return found.select_related("dataset").order_by("created_at", "id")


def kept_versions(workspace_id: str) -> QuerySet[DatasetVersion]:
    """Every version whose rows are still here, those of data sets put away among them, oldest first."""
    found = DatasetVersion.objects.filter(dataset__workspace_id=workspace_id, state=VersionState.READY)
    return found.select_related("dataset").prefetch_related("files").order_by("created_at", "id")


def files_by_name(version: DatasetVersion) -> dict[str, DatasetFile]:
    """The files that a version was made from, by the names that its rows carry."""
    files = list(files_of_version(version))
    return dict(zip(run_names(files), files, strict=True))


def edits_of(version: DatasetVersion) -> QuerySet[RowEdit]:
    """What people want changed in a version and no version has yet; flags too."""
    return RowEdit.objects.filter(version=version, applied_in__isnull=True).select_related("made_by")


def decisions_of(dataset: Dataset) -> QuerySet[FindingDecision]:
    """What people said about personal data that was found in the data set's rows."""
    return FindingDecision.objects.filter(dataset=dataset)


def tokenizers(workspace_id: str) -> QuerySet[Tokenizer]:
    """The tokenizers that a recipe of the workspace may count with."""
    return Tokenizer.objects.filter(Q(workspace_id=workspace_id) | Q(workspace_id=None)).order_by("name")


def tokenizer(workspace_id: str, name: str) -> Tokenizer | None:
    """A tokenizer by its base model's name."""
    return tokenizers(workspace_id).filter(name=name).first()


def _page(path: Path, *, offset: int, limit: int, where: tuple[str, str] | None = None) -> tuple[list[Any], int]:
    import pyarrow.compute as pc  # late: most requests never read Parquet
    import pyarrow.dataset as pads
    import pyarrow.parquet as pq

    if not path.exists():
        return [], 0
    if where is None:
        total = pq.read_metadata(path).num_rows
        table = pads.dataset(path).take(list(range(offset, min(offset + limit, total))))
        return table.to_pylist(), total
    table = pads.dataset(path).to_table(filter=pc.field(where[0]) == where[1])
    return table.slice(offset, limit).to_pylist(), table.num_rows


def rows_page(
    version: DatasetVersion, *, split: str, offset: int = 0, limit: int = 50
) -> tuple[list[dict[str, Any]], int]:
    """Rows of one split (`train`, `validation`, `test`) and how many there are in all."""
    if split not in ("train", "validation", "test"):
        raise NotFound(f"There is no split {split!r}: it is train, validation or test.")
    return _page(version.split_path(split), offset=offset, limit=limit)


def ledger_page(
    version: DatasetVersion, *, reason: str | None = None, offset: int = 0, limit: int = 50
) -> tuple[list[dict[str, Any]], int]:
    """What was left out, with the reason; `reason` narrows it to one."""
    where = ("reason", reason) if reason else None
    return _page(version.folder / "ledger.parquet", offset=offset, limit=limit, where=where)


def upload_of(workspace_id: str, upload_id: str) -> FileUpload:
    """One upload of the workspace, whatever became of it."""
    found = FileUpload.objects.select_related("file", "dataset").filter(workspace_id=workspace_id, id=upload_id).first()
    if found is None:
        raise NotFound(f"There is no upload {upload_id} in this workspace.")
    return found


def open_uploads(workspace_id: str, *, user_id: str | None) -> QuerySet[FileUpload]:
    """A person's uploads that are not whole yet, each with the bytes that arrived as `received`."""
    pending = FileUpload.objects.filter(workspace_id=workspace_id, started_by_id=user_id, state=UploadState.PENDING)
    return pending.filter(expires_at__gt=timezone.now()).annotate(received=Sum("parts__bytes", default=0))


def same_upload(
    workspace_id: str, *, user_id: str | None, name: str, size: int, fingerprint: str, dataset: Dataset | None
) -> FileUpload | None:
    """A person's upload of this very file that broke off; `dataset` None: whichever data set it goes to."""
    found = open_uploads(workspace_id, user_id=user_id).filter(name=name, bytes=size, fingerprint=fingerprint)
    return (found.filter(dataset=dataset) if dataset is not None else found).first()


def received(upload: FileUpload) -> int:
    """Bytes of an upload that have arrived."""
    return int(upload.parts.aggregate(total=Sum("bytes", default=0))["total"])


def parts_in_order(upload: FileUpload) -> list[str]:
    """Ids of an upload's parts by their place in the file."""
    return list(upload.parts.order_by("offset").values_list("id", flat=True))
