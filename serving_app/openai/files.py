"""/v1/files: uploads for fine-tuning. A file that comes this way gets a data set of its own name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

from django.http import JsonResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from datasets_app import services
from datasets_app.models import DatasetFile
from datasets_app.selectors import file_of, files_of
from gptstudio.core.errors import Invalid, NotFound, StudioError
from serving_app import selectors
from serving_app.openai.base import OpenAIView, listed, query_cursor, query_number

PURPOSE = "fine-tune"
MOST = 10_000
CHUNK = 1 << 20


def file_body(file: DatasetFile) -> dict[str, Any]:
    """OpenAI's file object. `status_details` says why a file could not be read."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": int(file.created_at.timestamp()),
        "expires_at": None,
        "filename": file.name,
        "purpose": file.purpose,
        "status": file.state,
        "status_details": file.error or None,
    }


def check_purpose(purpose: object) -> None:
    """Raise Invalid for any but the one purpose that is served."""
    if purpose != PURPOSE:
        raise Invalid(
            f"The purpose {str(purpose)[:40]!r} is not served here.",
            fix=f"Use {PURPOSE}.",
            code="invalid_value",
            param="purpose",
        )


class Files(OpenAIView):
    """List and upload."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "POST": "datasets.edit"}
    takes_uploads = True
    parser_classes = [MultiPartParser]

    def get(self, request: Request) -> JsonResponse:
        order = request.query_params.get("order", "desc")
        if order not in ("asc", "desc"):
            raise Invalid("order is asc or desc.", code="invalid_value", param="order")
        files = files_of(self.workspace_id)
        if purpose := request.query_params.get("purpose"):
            files = files.filter(purpose=purpose.replace("\x00", ""))
        page = selectors.page(
            files,
            by="created_at",
            limit=query_number(request, "limit", default=MOST, most=MOST),
            after=query_cursor(request),
            ascending=order == "asc",
        )
        return JsonResponse(listed(page, [file_body(file) for file in page.rows]))

    def post(self, request: Request) -> JsonResponse:
        upload = request.FILES.get("file")
        if upload is None:
            raise Invalid("'file' is required.", code="missing_required_parameter", param="file")
        check_purpose(request.POST.get("purpose"))
        for name in sorted({*request.POST, *request.FILES} - {"file", "purpose"}):
            param = name.partition("[")[0][:60]  # clients write expires_after[seconds]
            raise Invalid(f"'{param}' is not taken here.", fix="Leave it out.", code="unknown_parameter", param=param)
        return JsonResponse(file_body(self._keep(upload)))

    def _keep(self, upload: Any) -> DatasetFile:
        """A data set with this file; an upload that is refused leaves none behind."""
        name = upload.name or "upload"
        dataset = services.create_dataset(self.actor, workspace_id=self.workspace_id, name=name)
        try:
            return services.add_file(self.actor, dataset=dataset, name=name, chunks=upload.chunks(), purpose=PURPOSE)
        except StudioError:
            services.archive_dataset(self.actor, dataset=dataset)
            raise


class File(OpenAIView):
    """One file's facts; deleting leaves versions made from it as they are."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "DELETE": "datasets.edit"}

    def get(self, request: Request, file_id: str) -> JsonResponse:
        return JsonResponse(file_body(file_of(self.workspace_id, file_id)))

    def delete(self, request: Request, file_id: str) -> JsonResponse:
        file = file_of(self.workspace_id, file_id)
        services.archive_file(self.actor, file=file)
        return JsonResponse({"id": file.id, "object": "file", "deleted": True})


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    """A file's bytes, read in threads, never all at once."""
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
    finally:
        file.close()


class FileContent(OpenAIView):
    """The bytes, as they came; that they were taken is written down."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    def get(self, request: Request, file_id: str) -> StreamingHttpResponse:
        file = file_of(self.workspace_id, file_id)
        if not file.path.is_file():
            raise NotFound(f"The bytes of {file.name} were erased.", code="file_erased")
        services.note_file_download(self.actor, file=file)
        response = StreamingHttpResponse(_chunks(file.path), content_type="application/octet-stream")
        response["Content-Length"] = str(file.path.stat().st_size)
        response["Content-Disposition"] = content_disposition_header(True, file.name)
        return response
