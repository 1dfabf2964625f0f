"""`manage.py backup`: the whole studio in one folder, while it runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gptstudio.core.database import check_database
from gptstudio.core.disk import unreadable
from gptstudio.core.errors import StudioError
from gptstudio.overview.backup.making import make
from gptstudio.overview.backup.manifest import missing
from gptstudio.overview.selectors import kept_paths


class Command(BaseCommand):
    help = "Write database, files and self-made secrets to a new folder, each with its SHA-256. The studio may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to", type=Path, default=settings.BASE_DIR / "backups", help="where the new folder is made"
        )
        parser.add_argument("--without-secrets", action="store_true", help="leave out secret_key and engine_token")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            check_database()
            folder, found = make(options["to"].expanduser().resolve(), with_secrets=not options["without_secrets"])
        except StudioError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(unreadable(error, doing="No backup was made")) from error
        self.stdout.write(f"{len(found.files):,} files of {found.size:,} bytes are in {folder}")
        if any(each.path.startswith("secrets/") for each in found.files):
            self.stdout.write("It holds the studio's secrets besides its data: whoever has it has all of the studio.")
        else:
            self.stdout.write(
                "SECRET_KEY and ENGINE_TOKEN are not in it: keep them apart, a restore needs the same ones."
            )
        if lost := missing(found, kept_paths(until=datetime.fromisoformat(found.made_at))):
            raise CommandError("\n".join(["The backup is kept, and these were lost before it was made:", *lost]))
