"""Rows of a version: found, read, edited for the next one. Edits carry an ETag, so that nobody overwrites unseen."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import selectors, services
from datasets_app.api import asked
from datasets_app.api.shapes import EditBody, EditShape, MarkBody, RowDetail, RowShape, RowsPage, VersionDetail
from datasets_app.api.versions import OfVersion
from datasets_app.contents import rows as contents
from datasets_app.models import DatasetVersion, EditAction
from gptstudio.api.base import page_of

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The row's ETag; 412 when somebody edited it since."
)


class Rows(OfVersion):
    """The rows of a version."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="rows_list", parameters=asked.PARAMETERS, responses=RowsPage)
    def get(self, request: Request, dataset_id: str, version_id: str) -> Response:
        """Test rows only with `reveal_test=true`, which is written down."""
        version, query = self.version(dataset_id, version_id), request.query_params
        wanted, revealed = asked.wanted_of(query), asked.flag(query, "reveal_test")
        asked.check_revealed(query.get("split", ""), revealed=revealed)
        if revealed:
            services.open_test_rows(self.actor, version=version)
        found = contents.find(
            version,
            wanted,
            test_rows=revealed,
            sort=query.get("sort", "place"),
            after=query.get("after", ""),
            limit=asked.number(query, "limit", least=1, most=100) or 20,
        )
        rows = [RowShape(row).data for row in found.rows]
        return Response({"data": rows, "next": found.after or None, "total": found.total})


class RowOne(OfVersion):
    """One row, and the edit that waits for it."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "PUT": "datasets.edit", "DELETE": "datasets.edit"}
    parser_classes = [JSONParser]

    def _open(self, request: Request, dataset_id: str, version_id: str, split: str) -> DatasetVersion:
        version, revealed = self.version(dataset_id, version_id), asked.flag(request.query_params, "reveal_test")
        asked.check_revealed(split, revealed=revealed)
        if split == "test":
            services.open_test_rows(self.actor, version=version)
        return version

    def _answer(self, version: DatasetVersion, split: str, place: int) -> Response:
        row = contents.row_of(version, split=split, place=place)
        edit = selectors.edits_of(version).filter(split=split, place=place).first()
        said = edit.messages if edit is not None and edit.action == EditAction.REPLACE else row["messages"]
        body: dict[str, Any] = RowDetail({**row, "edit": edit}).data
        return Response(body, headers={"ETag": f'"{contents.etag(said)}"'})

    @extend_schema(operation_id="rows_read", parameters=[asked.REVEAL], responses=RowDetail)
    def get(self, request: Request, dataset_id: str, version_id: str, split: str, place: int) -> Response:
        return self._answer(self._open(request, dataset_id, version_id, split), split, place)

    @extend_schema(operation_id="rows_edit", request=EditBody, parameters=[IF_MATCH, asked.REVEAL], responses=RowDetail)
    def put(self, request: Request, dataset_id: str, version_id: str, split: str, place: int) -> Response:
        """Say what the row shall say in the next version. This version never changes."""
        version, body = self._open(request, dataset_id, version_id, split), self.given(EditBody)
        expected = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
        services.edit_row(
            self.actor,
            version=version,
            place=(split, place),
            messages=body["messages"],
            note=body["note"],
            expected="" if expected == "*" else expected,
        )
        return self._answer(version, split, place)

    @extend_schema(operation_id="rows_undo", parameters=[asked.REVEAL], responses={204: None})
    def delete(self, request: Request, dataset_id: str, version_id: str, split: str, place: int) -> Response:
        """Take back the edit, exclusion or flag that waits for this row."""
        version = self._open(request, dataset_id, version_id, split)
        services.undo_edits(self.actor, version=version, places=[(split, place)])
        return Response(status=204)


class Marked(serializers.Serializer):
    """How many rows were marked."""

    rows = serializers.IntegerField()


class Edits(OfVersion):
    """The edits that wait for the next version."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(operation_id="edits_list", responses=page_of(EditShape, "EditsPage"))
    def get(self, request: Request, dataset_id: str, version_id: str) -> Response:
        """Without those of test rows, unless `reveal_test=true`."""
        version, revealed = self.version(dataset_id, version_id), asked.flag(request.query_params, "reveal_test")
        if revealed:
            services.open_test_rows(self.actor, version=version)
        rows = selectors.edits_of(version) if revealed else selectors.edits_of(version).exclude(split="test")
        return self.listed(rows, lambda each: EditShape(each).data)

    @extend_schema(operation_id="edits_mark", request=MarkBody, parameters=[asked.REVEAL], responses=Marked)
    def post(self, request: Request, dataset_id: str, version_id: str) -> Response:
        """Leave out, flag, or take back: one row or many."""
        version, body = self.version(dataset_id, version_id), self.given(MarkBody)
        places = [(each["split"], each["place"]) for each in body["rows"]]
        if any(split == "test" for split, _ in places):
            asked.check_revealed("test", revealed=asked.flag(request.query_params, "reveal_test"))
            services.open_test_rows(self.actor, version=version)
        if body["act"] == "undo":
            return Response({"rows": services.undo_edits(self.actor, version=version, places=places)})
        act = services.exclude_rows if body["act"] == "exclude" else services.flag_rows
        return Response({"rows": act(self.actor, version=version, places=places, note=body["note"])})


class ApplyEdits(OfVersion):
    """The next version."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}

    @extend_schema(operation_id="edits_apply", request=None, responses={202: VersionDetail})
    def post(self, request: Request, dataset_id: str, version_id: str) -> Response:
        """Make it from the same files and recipe, with all edits that wait."""
        made = services.create_edited_version(self.actor, version=self.version(dataset_id, version_id))
        return Response(VersionDetail(made).data, status=202)
