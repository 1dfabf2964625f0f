"""`manage.py restore`: an empty studio becomes what a backup holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from gptstudio.core.disk import unreadable
from gptstudio.core.errors import StudioError
from gptstudio.overview.backup.manifest import missing
from gptstudio.overview.backup.restoring import restore
from gptstudio.overview.selectors import kept_paths


class Command(BaseCommand):
    help = "Fill the empty studio of STUDIO_HOME and DATABASE_URL from a backup, after every digest in it was checked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="folder", type=Path, required=True, help="a folder that backup made")
        parser.add_argument("--other-secret", action="store_true", help="go on under another SECRET_KEY")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            found = restore(options["folder"].expanduser().resolve(), other_secret=options["other_secret"])
        except StudioError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(unreadable(error, doing="The backup was not restored")) from error
        self.stdout.write(
            f"{len(found.files):,} files of {found.size:,} bytes have the digests that were written down."
        )
        log = "its audit log was not checked, for its seals are of another SECRET_KEY; nor are second factors there any more"
        told = log if options["other_secret"] else "its audit log is whole"
        self.stdout.write(f"The studio of {found.made_at} is in {settings.STUDIO_HOME}, and {told}. Start it.")
        if lost := missing(found, kept_paths(until=timezone.now())):
            self.stderr.write("\n".join(["These were lost before the backup was made, and are not in it:", *lost]))
