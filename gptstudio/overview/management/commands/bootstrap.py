"""`manage.py bootstrap`: a studio that is ready to use."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gptstudio.accounts import services
from gptstudio.accounts.models import ReleasePolicy
from gptstudio.core.database import check_database
from gptstudio.core.errors import StudioError
from gptstudio.overview.sign_in import link
from training_app.services import ensure_starter


class Command(BaseCommand):
    help = "Make an admin, a workspace and (with --print-key) an all-scope API key; safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--workspace", required=True)
        parser.add_argument("--release", choices=ReleasePolicy.values, help="automatic for a new workspace")
        parser.add_argument("--print-key", action="store_true")
        parser.add_argument("--rotate", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            check_database()
            ready = services.bootstrap(
                email=options["email"], workspace_name=options["workspace"], release_policy=options["release"]
            )
            ensure_starter()
            self.stdout.write(
                f"Workspace {ready.workspace.name} ({ready.workspace.slug}), release {ready.workspace.release_policy}."
            )
            self.stdout.write(f"Sign in once, within an hour: {link(ready.user)}")
            if options["print_key"]:
                self.stdout.write(services.bootstrap_key(ready, rotate=options["rotate"]))
        except StudioError as error:
            raise CommandError(str(error)) from error
