"""What the uploading script talks to: a file announced or taken up again, its parts, its end. Answers are JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.http import HttpResponse, JsonResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from datasets_app import selectors, services
from datasets_app.models import FileUpload
from datasets_app.web.forms import AnnouncedFile
from gptstudio.core.errors import Invalid, StudioError
from gptstudio.web.access import ACT, MemberRequest, member_page

PART_BYTES = 4 << 20
CHUNK = 1 << 18


def _in_json(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Refusals as `{"message": …}`: a script shows them beside the file that they are about."""

    @wraps(view)
    def answered(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except StudioError as error:
            return JsonResponse({"message": str(error), "code": error.code}, status=error.status)

    return answered


def _state(upload: FileUpload, received: int) -> JsonResponse:
    return JsonResponse({"id": upload.id, "received": received, "part_bytes": PART_BYTES})


@_in_json
@member_page("datasets.edit", ACT)
def begin(request: MemberRequest) -> HttpResponse:
    """Announce a file, or take up the upload of the same file where it broke off."""
    form = AnnouncedFile(request.POST)
    if not form.is_valid():
        raise Invalid("The file cannot be announced like this.", fix="Reload the page and choose the file again.")
    said, workspace_id = form.cleaned_data, request.actor.workspace_id
    dataset = selectors.dataset_of(workspace_id, said["dataset"]) if said["dataset"] else None
    broken_off = selectors.same_upload(
        workspace_id,
        user_id=request.actor.user_id,
        name=said["name"],
        size=said["bytes"],
        fingerprint=said["fingerprint"],
        dataset=dataset,
    )
    if broken_off is not None:
        return _state(broken_off, selectors.received(broken_off))
    upload = services.start_upload(
        request.actor,
        workspace_id=workspace_id,
        name=said["name"],
        size=said["bytes"],
        fingerprint=said["fingerprint"],
        dataset=dataset,
        dataset_name=said["dataset_name"],
    )
    return _state(upload, 0)


def _body(request: MemberRequest) -> Iterator[bytes]:
    """The raw body, piece by piece. A connection that breaks ends the part."""
    try:
        while chunk := request.read(CHUNK):
            yield chunk
    except UnreadablePostError as error:
        raise Invalid("The connection broke within a part.", fix="Send the part again.") from error


@_in_json
@member_page("datasets.edit", ACT)
def part(request: MemberRequest, upload_id: str) -> HttpResponse:
    """The bytes from `offset` on."""
    upload = selectors.upload_of(request.actor.workspace_id, upload_id)
    offset = request.GET.get("offset", "")
    if not offset.isascii() or not offset.isdigit():
        raise Invalid("The part does not say where it begins.", fix="Reload the page and choose the file again.")
    services.add_part(request.actor, upload=upload, chunks=_body(request), offset=int(offset[:15]))
    return _state(upload, selectors.received(upload))


@_in_json
@member_page("datasets.edit", ACT)
def complete(request: MemberRequest, upload_id: str) -> HttpResponse:
    """All parts are there: the file is kept, and the script is told where to go."""
    upload = selectors.upload_of(request.actor.workspace_id, upload_id)
    done = services.complete_upload(request.actor, upload=upload, part_ids=selectors.parts_in_order(upload))
    location = reverse("datasets:dataset", args=[done.dataset_id])
    return JsonResponse({"dataset": done.dataset_id, "location": location})


@member_page("datasets.edit", ACT)
def cancel(request: MemberRequest, upload_id: str) -> HttpResponse:
    """Give up an upload that broke off."""
    upload = selectors.upload_of(request.actor.workspace_id, upload_id)
    services.cancel_upload(request.actor, upload=upload)
    return redirect(reverse("datasets:dataset", args=[upload.dataset_id]) if upload.dataset_id else "datasets:new")
