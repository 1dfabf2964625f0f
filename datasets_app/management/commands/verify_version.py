"""`manage.py verify_version ID`: make a version again beside the one that is kept, and compare their digests."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app import builder, selectors
from gptstudio.core.errors import StudioError


class Command(BaseCommand):
    help = "Make a version again from its files and recipe, and say whether the digest is the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="dsv_…")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = selectors.version_to_verify(options["version"])
        except StudioError as error:
            raise CommandError(str(error)) from error
        outcome = builder.rebuild(version)
        if outcome.code:
            raise CommandError(f"{outcome.message} {outcome.fix}".strip())
        if outcome.digest != version.digest:
            raise CommandError(f"The digests differ. Kept: {version.digest}. Made again: {outcome.digest}.")
        self.stdout.write(f"The same: {outcome.digest}")
