"""Differences between versions, data cards, downloads."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import selectors, services
from datasets_app.api import asked
from datasets_app.api.shapes import MessageShape
from datasets_app.api.versions import OfVersion
from datasets_app.contents import changes
from datasets_app.contents.card import card_of, markdown
from datasets_app.contents.download import FORMS, chosen_splits, download
from gptstudio.api.base import LIMIT
from gptstudio.core.errors import Invalid
from gptstudio.core.streaming import in_threads


class DriftShape(serializers.Serializer):
    """How the whole moved. `labels`: share of rows under other labels; `length`: change of the median; `label_index` and
    `length_index`: population stability index; `words`: Jensen-Shannon divergence of the words of training rows."""

    rows = serializers.ListField(child=serializers.IntegerField())
    labels = serializers.FloatField()
    length = serializers.FloatField()
    turns = serializers.ListField(child=serializers.FloatField())
    label_index = serializers.FloatField()
    length_index = serializers.FloatField()
    words = serializers.FloatField()
    more = serializers.ListField(child=serializers.CharField(), help_text="Words whose share rose most.")
    fewer = serializers.ListField(child=serializers.CharField(), help_text="Words whose share fell most.")
    is_notable = serializers.BooleanField()


class ChangedRow(serializers.Serializer):
    """A row that differs; `old` and `new` are its turns, null where it is not."""

    kind = serializers.ChoiceField(changes.KINDS)
    file = serializers.CharField()
    row = serializers.IntegerField()
    old_split = serializers.CharField(allow_null=True)
    old_place = serializers.IntegerField(allow_null=True)
    new_split = serializers.CharField(allow_null=True)
    new_place = serializers.IntegerField(allow_null=True)
    old = MessageShape(many=True, allow_null=True)
    new = MessageShape(many=True, allow_null=True)


class DiffShape(serializers.Serializer):
    """What changed from another version to this one. Counts cover test rows; rows do only where revealed."""

    old = serializers.CharField()
    new = serializers.CharField()
    counts = serializers.DictField(child=serializers.IntegerField())
    drift = DriftShape()
    data = ChangedRow(many=True)  # type: ignore[assignment]
    next = serializers.CharField(allow_null=True)


class VersionDiff(OfVersion):
    """Added, removed, changed and moved rows."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(
        operation_id="versions_diff",
        parameters=[
            OpenApiParameter("with", str, description="The other version; the parent when not given."),
            OpenApiParameter("kind", str, enum=list(changes.KINDS)),
            OpenApiParameter("after", str),
            LIMIT,
            asked.REVEAL,
        ],
        responses=DiffShape,
    )
    def get(self, request: Request, dataset_id: str, version_id: str) -> Response:
        version, query = self.version(dataset_id, version_id), request.query_params
        other = selectors.version_of(self.workspace_id, query["with"]) if query.get("with") else version.parent
        if other is None:
            raise Invalid("This version descends from none.", fix="Name the other one: ?with=dsv_…", param="with")
        revealed = asked.flag(query, "reveal_test")
        if revealed:
            for each in (version, other):
                services.open_test_rows(self.actor, version=each)
        found = changes.changes(
            other,
            version,
            kind=query.get("kind", ""),
            test_rows=revealed,
            offset=asked.number(query, "after") or 0,
            limit=asked.number(query, "limit", least=1, most=100) or 20,
        )
        body = {
            "old": other.id,
            "new": version.id,
            "counts": found.counts,
            "drift": changes.drift(other, version),
            "data": found.rows,
            "next": str(found.after) if found.after else None,
        }
        return Response(DiffShape(body).data)


class VersionCard(OfVersion):
    """The data card."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="versions_card", responses={(200, "text/markdown"): OpenApiTypes.STR})
    def get(self, request: Request, dataset_id: str, version_id: str) -> HttpResponse:
        """What it is, what was done to it, what it cannot promise: a Markdown page."""
        card = card_of(self.version(dataset_id, version_id))
        return HttpResponse(markdown(card), content_type="text/markdown; charset=utf-8")


class VersionDownload(OfVersion):
    """The rows as a file."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(
        operation_id="versions_download",
        parameters=[
            OpenApiParameter("split", str, enum=["train", "validation", "test", "all"]),
            OpenApiParameter("format", str, enum=list(FORMS)),
            asked.REVEAL,
        ],
        responses={(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in (*FORMS.values(), "application/zip")},
    )
    def get(self, request: Request, dataset_id: str, version_id: str) -> Any:
        """JSON lines as OpenAI takes them (all splits: a zip with a file for each), CSV with harmless cells, or Parquet;
        streamed, and written down."""
        version, query = self.version(dataset_id, version_id), request.query_params
        split, form = query.get("split", "train"), query.get("format", "jsonl")
        splits = chosen_splits(split)
        asked.check_revealed(split, revealed=asked.flag(query, "reveal_test"))
        found = download(version, splits=splits, form=form)
        if "test" in splits:
            services.open_test_rows(self.actor, version=version)
        services.note_download(self.actor, version=version, splits=splits, form=form)
        response = StreamingHttpResponse(in_threads(found.pieces), content_type=found.content_type)
        response["Content-Disposition"] = content_disposition_header(True, found.name)
        return response
