"""Lineage and erasure for programs: what only the top floor can see."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import selectors as data
from datasets_app import services
from datasets_app.contents.tracing import Written
from gptstudio.api.base import NativeView
from gptstudio.core.errors import Invalid, NotFound
from gptstudio.overview.erasure import Trace, emptied, erase_what_was_said, take_out_of_words, traced
from gptstudio.overview.lineage import Lineage, lineage_of
from serving_app.selectors import Said

ID = {"id": serializers.CharField(), "name": serializers.CharField()}
LINE: dict[str, serializers.Field] = {
    "files": inline_serializer(
        "LineageFile", {**ID, "digest": serializers.CharField(), "erased": serializers.BooleanField()}, many=True
    ),
    "versions": inline_serializer(
        "LineageVersion",
        {
            **ID,
            "state": serializers.CharField(),
            "digest": serializers.CharField(),
            "parent_id": serializers.CharField(allow_null=True),
            "files": serializers.ListField(child=serializers.CharField()),
        },
        many=True,
    ),
    "models": inline_serializer(
        "LineageModel",
        {**ID, "version_id": serializers.CharField(allow_null=True), "base_id": serializers.CharField(allow_null=True)},
        many=True,
    ),
    "deployments": inline_serializer(
        "LineageDeployment", {**ID, "models": serializers.ListField(child=serializers.CharField())}, many=True
    ),
}
LINEAGE = inline_serializer("Lineage", LINE)


class TraceBody(serializers.Serializer):
    """What to look for: a phrase (a name, an address), or one record of a file."""

    text = serializers.CharField(required=False, max_length=500)
    file = serializers.CharField(required=False)
    row = serializers.IntegerField(required=False, min_value=0)
    part = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="A member or sheet: `/may.csv`."
    )


TEXTS = inline_serializer(
    "TracedTexts",
    {
        "requests": serializers.ListField(child=serializers.CharField(), help_text="Whose kept texts say it."),
        "feedback": serializers.ListField(child=serializers.CharField()),
        "reviews": serializers.ListField(child=serializers.CharField(), help_text="Review items that quote it."),
    },
)
WORDS = inline_serializer(
    "TracedWords",
    {
        "lists": serializers.ListField(child=serializers.CharField(), help_text="Kinds of the lists of words."),
        "recipes": serializers.ListField(child=serializers.CharField(), help_text="Recipes under a name."),
    },
)
TRACE = inline_serializer(
    "ErasureTrace",
    {
        "digest": serializers.CharField(help_text="What the audit log calls it; it gives nothing away."),
        "uploads": inline_serializer(
            "TracedUpload",
            {
                "id": serializers.CharField(),
                "name": serializers.CharField(),
                "records": serializers.DictField(child=serializers.ListField(child=serializers.IntegerField())),
                "problem": serializers.CharField(allow_blank=True),
            },
            many=True,
        ),
        "versions": inline_serializer(
            "TracedVersion",
            {
                "id": serializers.CharField(),
                "name": serializers.CharField(),
                "rows": serializers.IntegerField(help_text="Rows that say it or came from such a record."),
                "saying": serializers.IntegerField(help_text="Rows that say it."),
            },
            many=True,
        ),
        "texts": TEXTS,
        "words": WORDS,
        "models": serializers.ListField(child=serializers.CharField(), help_text="To be retrained."),
        "deployments": serializers.ListField(child=serializers.CharField()),
        "lineage": LINEAGE,
    },
)


def line_body(line: Lineage) -> dict[str, Any]:
    """The lineage as ids, names and what each came from."""
    return {
        "files": [
            {"id": each.id, "name": each.name, "digest": each.digest, "erased": each.erased_at is not None}
            for each in line.files
        ],
        "versions": [
            {
                "id": each.id,
                "name": str(each),
                "state": each.state,
                "digest": each.digest,
                "parent_id": each.parent_id,
                "files": [file.id for file in data.brought_files(each)],
            }
            for each in line.versions
        ],
        "models": [
            {
                "id": each.id,
                "name": each.name,
                "version_id": each.job.version_id if each.job else None,
                "base_id": each.base_id,
            }
            for each in line.models
        ],
        "deployments": [{"id": each.id, "name": each.name, "models": used} for each, used in line.deployments],
    }


def said_body(found: Said) -> dict[str, list[str]]:
    """Where it was said, by id."""
    return {"requests": found.requests, "feedback": found.feedback, "reviews": found.reviews}


def words_body(found: Written) -> dict[str, list[str]]:
    """What people wrote down that says it: lists by their kind, recipes by id."""
    return {"lists": [each.kind for each, _ in found.lists], "recipes": [each.id for each in found.recipes]}


def trace_body(found: Trace) -> dict[str, Any]:
    """What was found, by id and number; never a word of it."""
    return {
        "digest": found.digest,
        "uploads": [
            {"id": each.file.id, "name": each.file.name, "records": each.records, "problem": each.problem}
            for each in found.data.files
        ],
        "versions": [
            {"id": each.version.id, "name": str(each.version), "rows": len(each.places), "saying": each.saying}
            for each in found.data.versions
        ],
        "texts": said_body(found.said),
        "words": words_body(found.data.written),
        "models": [each.id for each in found.line.models],
        "deployments": [each.id for each, _ in found.line.deployments],
        "lineage": line_body(found.line),
    }


class LineageOne(NativeView):
    """The lineage of anything that has an id."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="lineage", responses=LINEAGE)
    def get(self, request: Request, subject_id: str) -> Response:
        """Of a data set, file, version, fine-tune, model or deployment: what it came from and what came of it."""
        return Response(line_body(lineage_of(self.workspace_id, subject_id)))


class VersionLineage(NativeView):
    """The lineage of one version."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="versions_lineage", responses=LINEAGE)
    def get(self, request: Request, dataset_id: str, version_id: str) -> Response:
        if data.version_of(self.workspace_id, version_id).dataset_id != dataset_id:
            raise NotFound(f"There is no data version {version_id} in this data set.")
        return Response(line_body(lineage_of(self.workspace_id, version_id)))


class OfPerson(NativeView):
    """Views that take what is looked for."""

    actions: ClassVar[dict[str, str]] = {"POST": "data.erase"}
    parser_classes = [JSONParser]

    def traced(self) -> Trace:
        asked = self.given(TraceBody)
        if bool(asked.get("text")) == bool(asked.get("file")):
            raise Invalid(
                "Name either a text or a file with a row.", fix='Send {"text": "…"} or {"file": …, "row": …}.'
            )
        return traced(
            self.actor,
            text=asked.get("text", ""),
            file_id=asked.get("file", ""),
            row=asked.get("row", 0),
            part=asked["part"],
        )


class ErasureTrace(OfPerson):
    """Where a person's data is."""

    @extend_schema(operation_id="erasure_trace", request=TraceBody, responses=TRACE)
    def post(self, request: Request) -> Response:
        """Every upload and version that holds something of it, and every model and deployment that descends from one."""
        return Response(trace_body(self.traced()))


class ErasureVersions(OfPerson):
    """Versions without it."""

    @extend_schema(
        operation_id="erasure_versions",
        request=TraceBody,
        responses={
            202: inline_serializer(
                "ErasedVersions", {"versions": serializers.ListField(), "models": serializers.ListField()}
            )
        },
    )
    def post(self, request: Request) -> Response:
        """Ask for a version without it of every data set that holds something; `models` are to be retrained."""
        found = self.traced()
        made = services.create_erased_versions(
            self.actor, workspace_id=self.workspace_id, trace=found.data, phrase=found.phrase
        )
        body = {"versions": [each.id for each in made], "models": [each.id for each in found.line.models]}
        return Response(body, status=202)


class TombstoneBody(serializers.Serializer):
    """What to empty, and why."""

    versions = serializers.ListField(child=serializers.CharField(), required=False, default=list)
    files = serializers.ListField(child=serializers.CharField(), required=False, default=list)
    text = serializers.CharField(
        required=False,
        max_length=500,
        help_text="What was said of it is erased: kept texts, feedback, places in reviews; and from lists of words and recipes.",
    )
    reason = serializers.CharField(max_length=300)


class ErasureTombstones(NativeView):
    """Old versions and uploads, emptied."""

    actions: ClassVar[dict[str, str]] = {"POST": "data.erase"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="erasure_tombstones",
        request=TombstoneBody,
        responses=inline_serializer(
            "Tombstones",
            {"versions": serializers.ListField(), "files": serializers.ListField(), "texts": TEXTS, "words": WORDS},
        ),
    )
    def post(self, request: Request) -> Response:
        """Delete their rows and bytes. Id, digest and reason are kept; nothing brings the rest back."""
        body = self.given(TombstoneBody)
        versions = [data.version_of(self.workspace_id, each) for each in dict.fromkeys(body["versions"])]
        kept = {file.id: file for file in data.kept_uploads(self.workspace_id).filter(id__in=body["files"])}
        missing = [each for each in body["files"] if each not in kept]
        if missing:
            raise NotFound(f"There is no file {missing[0]} in this workspace.", param="files")
        for version in versions:
            emptied(self.actor, version=version, reason=body["reason"])
        for file in kept.values():
            services.erase_file(self.actor, file=file, reason=body["reason"])
        said, written = Said(), Written()
        if body.get("text"):
            said = erase_what_was_said(self.actor, text=body["text"], reason=body["reason"])
            written = take_out_of_words(self.actor, text=body["text"], reason=body["reason"])
        found = {"texts": said_body(said), "words": words_body(written)}
        return Response({"versions": [each.id for each in versions], "files": list(kept), **found})
