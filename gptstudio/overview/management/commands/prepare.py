"""`manage.py prepare`: what must stand before any process of the studio starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from gptstudio.accounts.services import seal_factors
from gptstudio.core import storage
from gptstudio.core.broker import check_broker
from gptstudio.core.database import alone, check_database, check_not_newer
from gptstudio.core.errors import StudioError
from serving_app.services import check_engines, sum_up_usage
from training_app.services import ensure_starter

# What engines in containers see of the home; each of them must be there before one starts.
MOUNTED = ("artifacts", "import", "journal")


class Command(BaseCommand):
    help = "Bring the database up to date and register the starter model; safe to run again."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            check_database()
            check_broker()
            storage.check()
            check_engines()
            with alone():
                check_not_newer(version=settings.VERSION)
                call_command("migrate", verbosity=0)
                seal_factors()
                for name in MOUNTED:
                    (Path(settings.STUDIO_HOME) / name).mkdir(exist_ok=True)
                starter = ensure_starter()
                sum_up_usage()
        except StudioError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The database is up to date, and {starter.name} is registered.")
