"""`manage.py fill_bucket`: what a studio kept before it had a bucket is copied there."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gptstudio.core import storage
from gptstudio.core.errors import StudioError
from gptstudio.overview.filling import fill_bucket


class Command(BaseCommand):
    help = "Copy what lies under STUDIO_HOME to the bucket of STORAGE_URL; what is there already is left. Safe to run again."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not storage.is_set():
            raise CommandError("STORAGE_URL is not set. Set it to s3://bucket/folder.")
        try:
            storage.check()
            count = fill_bucket()
        except StudioError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} files and folders were copied; the bucket has all that is kept here.")
