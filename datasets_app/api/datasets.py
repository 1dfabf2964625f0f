"""/api/v1/datasets: made, listed, uploaded to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import selectors, services
from datasets_app.api import asked
from datasets_app.api.shapes import DatasetBody, DatasetChange, DatasetShape, DetectionShape, FileShape, ReadingBody
from datasets_app.contents.detection import without_rows
from datasets_app.models import Dataset, DatasetFile, FileState
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.api.etags import ETAG, IF_MATCH, Tagged
from gptstudio.core.bodies import takes_uploads
from gptstudio.core.errors import Invalid, NotFound

CHUNK = 1 << 20
REVEAL_ROWS = OpenApiParameter(
    "reveal_rows", bool, description="Show the first rows as they came too. It is written into the audit log."
)


class Datasets(NativeView):
    """All data sets of the workspace."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="datasets_list",
        parameters=[asked.ARCHIVED, *LIST_PARAMETERS],
        responses=page_of(DatasetShape, "DatasetsPage"),
    )
    def get(self, request: Request) -> Response:
        return self.listed(
            selectors.datasets_of(self.workspace_id, archived=asked.flag(request.query_params, "archived")),
            lambda each: DatasetShape(each).data,
        )

    @extend_schema(operation_id="datasets_create", request=DatasetBody, responses={201: DatasetShape})
    def post(self, request: Request) -> Response:
        name = self.given(DatasetBody)["name"]
        dataset = services.create_dataset(self.actor, workspace_id=self.workspace_id, name=name)
        return Response(DatasetShape(dataset).data, status=201)


class DatasetOne(Tagged):
    """One data set."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "PATCH": "datasets.edit", "DELETE": "datasets.edit"}
    parser_classes = [JSONParser]

    def shown(self, found: Dataset) -> dict[str, Any]:
        return dict(DatasetShape(found).data)

    @extend_schema(operation_id="datasets_read", parameters=[ETAG], responses=DatasetShape)
    def get(self, request: Request, dataset_id: str) -> Response:
        return self.seen(selectors.dataset_of(self.workspace_id, dataset_id))

    @extend_schema(
        operation_id="datasets_change", parameters=[IF_MATCH, ETAG], request=DatasetChange, responses=DatasetShape
    )
    def patch(self, request: Request, dataset_id: str) -> Response:
        """Say which column plays which part in versions to come."""
        with self.unchanged(lambda: selectors.dataset_of(self.workspace_id, dataset_id)) as dataset:
            mapping = self.given(DatasetChange)["mapping"]
            if mapping is not None and not isinstance(mapping, dict):
                raise Invalid("The mapping is not an object.", fix="Send an object or null.", param="mapping")
            return self.seen(services.set_mapping(self.actor, dataset=dataset, mapping=mapping))

    @extend_schema(operation_id="datasets_archive", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, dataset_id: str) -> Response:
        """Put it out of sight. Its versions stay: models descend from them."""
        with self.unchanged(lambda: selectors.dataset_of(self.workspace_id, dataset_id)) as dataset:
            services.archive_dataset(self.actor, dataset=dataset)
        return Response(status=204)


class RestoreDataset(NativeView):
    """The way back."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(operation_id="datasets_restore", request=None, responses=DatasetShape)
    def post(self, request: Request, dataset_id: str) -> Response:
        """Bring back what was put away; one in use stays as it is."""
        found = selectors.dataset_of(self.workspace_id, dataset_id, also_archived=True)
        return Response(DatasetShape(services.restore_dataset(self.actor, dataset=found)).data)


class RestoreFile(NativeView):
    """The way back."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(operation_id="files_restore", request=None, responses=FileShape)
    def post(self, request: Request, dataset_id: str, file_id: str) -> Response:
        """Take in again what was left out, unless its bytes are gone."""
        found = selectors.file_of(self.workspace_id, file_id, also_archived=True)
        if found.dataset_id != dataset_id:
            raise NotFound(f"There is no file {file_id} in this data set.")
        return Response(FileShape(services.restore_file(self.actor, file=found)).data)


def _pieces(stream: HttpRequest) -> Iterator[bytes]:
    """The body as it comes, without a parser in between."""
    while piece := stream.read(CHUNK):
        yield piece


@takes_uploads
class Files(NativeView):
    """The files of a data set."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "POST": "datasets.edit"}
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="files_list", responses=page_of(FileShape, "FilesPage"), parameters=LIST_PARAMETERS)
    def get(self, request: Request, dataset_id: str) -> Response:
        dataset = selectors.dataset_of(self.workspace_id, dataset_id)
        return self.listed(selectors.live_files(dataset), lambda each: FileShape(each).data)

    @extend_schema(
        operation_id="files_upload",
        request={
            "multipart/form-data": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            },
            "application/octet-stream": {"type": "string", "format": "binary"},
        },
        parameters=[OpenApiParameter("name", str, description="The file's name, where the body is the file itself.")],
        responses={201: FileShape},
    )
    def post(self, request: Request, dataset_id: str) -> Response:
        """Upload as a form with `file`, or as the plain body with `?name=tickets.csv`; both are streamed to disk."""
        dataset = selectors.dataset_of(self.workspace_id, dataset_id)
        name, chunks = self._sent(request)
        file = services.add_file(self.actor, dataset=dataset, name=name, chunks=chunks)
        return Response(FileShape(file).data, status=201)

    def _sent(self, request: Request) -> tuple[str, Iterator[bytes]]:
        if (request.content_type or "").startswith("multipart/"):
            upload = request.FILES.get("file")
            if upload is None:
                raise Invalid("The form has no file.", fix="Send it as the part `file`.", param="file")
            return upload.name or "", upload.chunks()
        name = request.query_params.get("name", "")
        if not name:
            raise Invalid("The file has no name.", fix="Add ?name=tickets.csv to the address.", param="name")
        return name, _pieces(request._request)


class _OfFile(NativeView):
    def file(self, dataset_id: str, file_id: str) -> DatasetFile:
        found = selectors.file_of(self.workspace_id, file_id)
        if found.dataset_id != dataset_id:
            raise NotFound(f"There is no file {file_id} in this data set.")
        return found


class FileOne(_OfFile):
    """One file."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "DELETE": "datasets.edit"}

    @extend_schema(operation_id="files_read", responses=FileShape)
    def get(self, request: Request, dataset_id: str, file_id: str) -> Response:
        return Response(FileShape(self.file(dataset_id, file_id)).data)

    @extend_schema(operation_id="files_archive", responses={204: None})
    def delete(self, request: Request, dataset_id: str, file_id: str) -> Response:
        """Leave the file out of versions to come. Those made from it stay as they are."""
        services.archive_file(self.actor, file=self.file(dataset_id, file_id))
        return Response(status=204)


class FileDetect(_OfFile):
    """What was found in a file, and reading it in another way."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "POST": "datasets.edit"}
    parser_classes = [JSONParser]

    def _answer(self, file: DatasetFile, *, revealed: bool = False) -> Response:
        detection = file.detection if revealed else without_rows(file.detection)
        body = {"file": file.id, "state": file.state, "error": file.error, "detection": detection}
        waiting = file.state == FileState.UPLOADED
        return Response(body, status=202 if waiting else 200, headers={"Retry-After": "1"} if waiting else None)

    @extend_schema(
        operation_id="files_detect", parameters=[REVEAL_ROWS], responses={200: DetectionShape, 202: DetectionShape}
    )
    def get(self, request: Request, dataset_id: str, file_id: str) -> Response:
        """202 while a worker still reads it. The first rows as they came only with `reveal_rows=true`, which is written
        down."""
        file, revealed = self.file(dataset_id, file_id), asked.flag(request.query_params, "reveal_rows")
        if revealed:
            services.note_first_rows(self.actor, file=file)
        return self._answer(file, revealed=revealed)

    @extend_schema(operation_id="files_detect_again", request=ReadingBody, responses={202: DetectionShape})
    def post(self, request: Request, dataset_id: str, file_id: str) -> Response:
        """Have it read again, in the way that the body says."""
        file, reading = self.file(dataset_id, file_id), self.given(ReadingBody)
        return self._answer(services.reread_file(self.actor, file=file, reading=reading))
