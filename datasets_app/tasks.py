"""What workers do for data sets: read a file, count what a recipe would do, build a version."""

from __future__ import annotations

import os
import socket
from typing import Any

from celery import shared_task

from datasets_app import builder, services


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@shared_task(name="datasets.detect_file")
def detect_file(file_id: str) -> None:
    """See what an upload holds."""
    file = services.claim_file(file_id, holder=_holder())
    if file is None:
        return
    outcome = builder.detect(file, on_tick=lambda: services.hold_file(file))
    if outcome.code:
        services.fail_file(file, error=outcome.message)
    else:
        services.finish_file(file, detection=outcome.report)


@shared_task(name="datasets.preview_recipe")
def preview_recipe(preview_id: str) -> None:
    """Count what a recipe would do."""
    preview = services.claim_preview(preview_id, holder=_holder())
    if preview is None:
        return
    outcome = builder.preview(preview, on_tick=lambda progress: services.note_preview(preview, progress=progress))
    if outcome.code:
        services.fail_preview(preview, code=outcome.code, message=outcome.message, fix=outcome.fix)
    else:
        services.finish_preview(preview, result=outcome.report)


@shared_task(name="datasets.build_version")
def build_version(version_id: str) -> None:
    """Curate a version's files by its recipe."""
    version = services.claim_version(version_id, holder=_holder())
    if version is None:
        return

    def on_tick(progress: dict[str, Any]) -> bool:
        return services.note_progress(version, progress=progress)

    outcome = builder.build(version, on_tick=on_tick)
    if outcome.code:
        services.fail_version(version, code=outcome.code, message=outcome.message, fix=outcome.fix)
    else:
        services.finish_version(version, report=outcome.report, digest=outcome.digest)
