"""/v1/uploads: a large file in parts, which may take hours and survive a restart. Complete, it is a file like any."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import JsonResponse
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from datasets_app import selectors, services
from datasets_app.models import FileUpload, UploadPart, UploadState
from gptstudio.core.errors import Invalid
from serving_app.openai.base import OpenAIView, whole_number
from serving_app.openai.files import PURPOSE, check_purpose, file_body

CREATE = frozenset({"bytes", "filename", "mime_type", "purpose"})
COMPLETE = frozenset({"part_ids", "md5"})


def upload_body(upload: FileUpload) -> dict[str, Any]:
    """OpenAI's upload object; `file` once it is complete."""
    body: dict[str, Any] = {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.bytes,
        "created_at": int(upload.created_at.timestamp()),
        "expires_at": int(upload.expires_at.timestamp()),
        "filename": upload.name,
        "purpose": upload.purpose,
        "status": upload.state,
        "file": None,
    }
    if upload.state == UploadState.COMPLETED and upload.file is not None:
        body["file"] = file_body(upload.file)
    return body


def part_body(part: UploadPart) -> dict[str, Any]:
    """OpenAI's part object."""
    return {
        "id": part.id,
        "object": "upload.part",
        "created_at": int(part.created_at.timestamp()),
        "upload_id": part.upload_id,
    }


def _known(body: dict[str, Any], names: frozenset[str]) -> None:
    strange = sorted(set(body) - names)
    if strange:
        raise Invalid(f"'{strange[0][:60]}' is not taken here.", code="unknown_parameter", param=strange[0][:60])


def _wanted(body: dict[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if value is None:
        raise Invalid(f"'{name}' is required.", code="missing_required_parameter", param=name)
    if kind is int:
        value = whole_number(value)
    if not isinstance(value, kind):
        raise Invalid(f"'{name}' has the wrong type.", code="invalid_type", param=name)
    return value


class Uploads(OpenAIView):
    """Announce a file."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}

    def post(self, request: Request) -> JsonResponse:
        body = self.object_body()
        _known(body, CREATE)
        check_purpose(body.get("purpose"))
        _wanted(body, "mime_type", str)
        upload = services.start_upload(
            self.actor,
            workspace_id=self.workspace_id,
            name=_wanted(body, "filename", str),
            size=_wanted(body, "bytes", int),
            purpose=PURPOSE,
        )
        return JsonResponse(upload_body(upload))


class UploadParts(OpenAIView):
    """Take the next bytes."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}
    takes_uploads = True
    parser_classes = [MultiPartParser]

    def post(self, request: Request, upload_id: str) -> JsonResponse:
        upload = selectors.upload_of(self.workspace_id, upload_id)
        data = request.FILES.get("data")
        if data is None:
            raise Invalid("'data' is required.", code="missing_required_parameter", param="data")
        return JsonResponse(part_body(services.add_part(self.actor, upload=upload, chunks=data.chunks())))


class CompleteUpload(OpenAIView):
    """Make the file of its parts."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}

    def post(self, request: Request, upload_id: str) -> JsonResponse:
        body = self.object_body()
        _known(body, COMPLETE)
        upload = selectors.upload_of(self.workspace_id, upload_id)
        part_ids = _wanted(body, "part_ids", list)
        md5 = body.get("md5") or ""
        if not all(isinstance(part_id, str) for part_id in part_ids) or not isinstance(md5, str):
            raise Invalid("'part_ids' and 'md5' are texts.", code="invalid_type", param="part_ids")
        done = services.complete_upload(self.actor, upload=upload, part_ids=part_ids, md5=md5)
        return JsonResponse(upload_body(done))


class CancelUpload(OpenAIView):
    """Give an upload up."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}

    def post(self, request: Request, upload_id: str) -> JsonResponse:
        upload = selectors.upload_of(self.workspace_id, upload_id)
        return JsonResponse(upload_body(services.cancel_upload(self.actor, upload=upload)))
