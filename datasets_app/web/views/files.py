"""Files: upload with progress, leaving one out."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from datasets_app import selectors, services
from datasets_app.models import Dataset
from datasets_app.web.forms import UploadForm
from gptstudio.core.bodies import takes_uploads
from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, MemberRequest, member_page


def landed(request: MemberRequest, address: str) -> HttpResponse:
    """Send the browser on; the uploading script is told where, since it cannot see a redirect."""
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return HttpResponse(status=204, headers={"X-Location": address})
    return redirect(address)


def keep_files(request: MemberRequest, dataset: Dataset, files: Sequence[UploadedFile]) -> None:
    """Keep each file; one that is refused does not take the others along."""
    for file in files:
        name = str(file.name or "file")
        try:
            services.add_file(request.actor, dataset=dataset, name=name, chunks=file.chunks())
        except StudioError as error:
            messages.error(request, f"{name} was not kept. {error}")


@takes_uploads
@member_page("datasets.edit", ACT)
def upload(request: MemberRequest, dataset_id: str) -> HttpResponse:
    """More files for a data set."""
    dataset = selectors.dataset_of(request.actor.workspace_id, dataset_id)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        keep_files(request, dataset, form.cleaned_data["files"])
    else:
        messages.error(request, "No file was chosen. Choose one, or drag it onto the field.")
    return landed(request, reverse("datasets:dataset", args=[dataset.id]))


@member_page("datasets.edit", ACT)
def archive(request: MemberRequest, dataset_id: str, file_id: str) -> HttpResponse:
    """Leave a file out of what comes next."""
    found = selectors.file_of(request.actor.workspace_id, file_id)
    services.archive_file(request.actor, file=found)
    messages.success(request, f"{found.name} is left out of new versions. Those made from it stay as they are.")
    return redirect("datasets:dataset", found.dataset_id)


@member_page("datasets.edit", ACT)
def restore(request: MemberRequest, dataset_id: str, file_id: str) -> HttpResponse:
    """Take a file in again."""
    found = selectors.file_of(request.actor.workspace_id, file_id, also_archived=True)
    services.restore_file(request.actor, file=found)
    messages.success(request, f"{found.name} is in new versions again.")
    return redirect("datasets:dataset", found.dataset_id)
