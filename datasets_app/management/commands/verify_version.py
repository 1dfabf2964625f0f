"""`manage.py verify_version ID`: make a version again beside the one that is kept, and compare their digests.

With `--stored` nothing is made again: the digest is taken from the rows, the recipe and the ledger as they are kept.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pyarrow import ArrowException

from datasets_app import builder, selectors
from datasets_app.models import DatasetVersion
from gptstudio.core.errors import StudioError


class Command(BaseCommand):
    help = "Make a version again from its files and recipe, and say whether the digest is the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="dsv_…")
        parser.add_argument("--stored", action="store_true", help="look at the stored rows alone; make nothing again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = selectors.version_to_verify(options["version"], uploads=not options["stored"])
        except StudioError as error:
            raise CommandError(str(error)) from error
        if options["stored"]:
            return self._compare_stored(version)
        try:
            outcome = builder.rebuild(version)
        except StudioError as error:
            raise CommandError(str(error)) from error
        if outcome.code:
            raise CommandError(f"{outcome.message} {outcome.fix}".strip())
        if outcome.digest != version.digest:
            raise CommandError(f"The digests differ. Kept: {version.digest}. Made again: {outcome.digest}.")
        self.stdout.write(f"The same: {outcome.digest}")

    def _compare_stored(self, version: DatasetVersion) -> None:
        try:
            found = builder.stored_digest(version)
        except (StudioError, OSError, ArrowException) as error:
            raise CommandError(f"Its files cannot be read: {error}") from error
        if found is None:
            raise CommandError("Shortened rows were left out of it, so only making it again tells: leave out --stored.")
        if found != version.digest:
            raise CommandError(f"The digests differ. Kept: {version.digest}. Of what is stored: {found}.")
        self.stdout.write(f"The same: {found}")
