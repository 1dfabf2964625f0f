"""Uploaded files go to disk as they come; a disk that fills up meanwhile is an answer with a sentence."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler

from gptstudio.core.disk import room_for


class DiskUploadHandler(TemporaryFileUploadHandler):
    """Django's own, with DiskFull in place of a bare OSError."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        with room_for("this upload"):
            super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with room_for("this upload"):
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        with room_for("this upload"):
            return super().file_complete(file_size)
