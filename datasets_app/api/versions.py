"""/api/v1/datasets/{id}/versions: made, followed, gone back to; what stands in their report and ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import selectors, services
from datasets_app.api.asked import number
from datasets_app.api.shapes import VersionBody, VersionDetail, VersionShape
from datasets_app.models import Dataset, DatasetVersion
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.core.errors import NotFound


class OfVersion(NativeView):
    """Views below one version of one data set."""

    def version(self, dataset_id: str, version_id: str) -> DatasetVersion:
        found = selectors.version_of(self.workspace_id, version_id)
        if found.dataset_id != dataset_id:
            raise NotFound(f"There is no data version {version_id} in this data set.")
        return found


def wanted_of(dataset: Dataset, body: Mapping[str, Any]) -> dict[str, Any]:
    """The files, recipe and parent that a body names; what is left to the service is None. NotFound for ids that are none
    of this data set."""
    known = {file.id: file for file in selectors.live_files(dataset)} if "files" in body else {}
    named = list(dict.fromkeys(body.get("files", [])))
    missing = [file_id for file_id in named if file_id not in known]
    if missing:
        raise NotFound(f"There is no file {missing[0]} in this data set.", param="files")
    parent = selectors.versions_of(dataset.workspace_id).filter(dataset=dataset, id=body.get("parent")).first()
    if parent is None and "parent" in body:
        raise NotFound(f"There is no data version {body['parent'][:60]} in this data set.", param="parent")
    return {
        "files": [known[file_id] for file_id in named] if "files" in body else None,
        "recipe": body.get("recipe", parent.recipe if parent else None),
        "parent": parent,
    }


class Versions(NativeView):
    """The versions of a data set."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="versions_list", parameters=LIST_PARAMETERS, responses=page_of(VersionShape, "VersionsPage")
    )
    def get(self, request: Request, dataset_id: str) -> Response:
        dataset = selectors.dataset_of(self.workspace_id, dataset_id)
        rows = selectors.versions_of(self.workspace_id).filter(dataset=dataset)
        return self.listed(rows, lambda each: VersionShape(each).data)

    @extend_schema(operation_id="versions_create", request=VersionBody, responses={202: VersionDetail})
    def post(self, request: Request, dataset_id: str) -> Response:
        """Ask for a version; a worker makes it. Follow `state` until it is ready or failed."""
        dataset = selectors.dataset_of(self.workspace_id, dataset_id)
        made = services.create_version(self.actor, dataset=dataset, **wanted_of(dataset, self.given(VersionBody)))
        return Response(VersionDetail(made).data, status=202)


class VersionOne(OfVersion):
    """One version, its recipe and files."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="versions_read", responses=VersionDetail)
    def get(self, request: Request, dataset_id: str, version_id: str) -> Response:
        return Response(VersionDetail(self.version(dataset_id, version_id)).data)


class VersionAct(OfVersion):
    """`cancel`, `retry` and `restore`."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}

    @extend_schema(request=None, responses={202: VersionDetail})
    def post(self, request: Request, dataset_id: str, version_id: str, verb: str) -> Response:
        """Cancel one that is being made, try a failed one again, or make an earlier one again as the newest."""
        acts = {"cancel": services.cancel_version, "retry": services.retry_version, "restore": services.restore_version}
        found = acts[verb](self.actor, version=self.version(dataset_id, version_id))
        return Response(VersionDetail(found).data, status=202)


class VersionReport(OfVersion):
    """What became of the rows."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="versions_report", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, dataset_id: str, version_id: str) -> Response:
        """Curation's report: rows, splits, leaks, personal data, classes, lengths, steps. Empty until it is ready."""
        return Response(self.version(dataset_id, version_id).report)


LEDGER_ROW = inline_serializer(
    "LedgerRow",
    {
        "file": serializers.CharField(),
        "row": serializers.IntegerField(),
        "line": serializers.IntegerField(allow_null=True),
        "step": serializers.CharField(),
        "reason": serializers.CharField(),
        "detail": serializers.CharField(),
        "text": serializers.CharField(help_text="The beginning of the row, personal data hidden."),
    },
    many=True,
)


class VersionLedger(OfVersion):
    """Every row that was left out, with the reason."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(
        operation_id="versions_ledger",
        parameters=[*LIST_PARAMETERS, OpenApiParameter("reason", str, description="Only rows left out for this.")],
        responses=inline_serializer(
            "LedgerPage",
            {
                "data": LEDGER_ROW,
                "next": serializers.CharField(allow_null=True),
                "total": serializers.IntegerField(),
            },
        ),
    )
    def get(self, request: Request, dataset_id: str, version_id: str) -> Response:
        version, asked = self.version(dataset_id, version_id), request.query_params
        offset, limit = number(asked, "after", least=0) or 0, number(asked, "limit", least=1, most=100) or 20
        rows, total = selectors.ledger_page(version, reason=asked.get("reason"), offset=offset, limit=limit)
        end = offset + len(rows)
        body: dict[str, Any] = {"data": rows, "next": str(end) if rows and end < total else None, "total": total}
        return Response(body)
